"""Rows that several queries read: kept in memory, without the plan that made them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame, SparkSession

Keep = Callable[[DataFrame], DataFrame]


@contextmanager
def keeping() -> Iterator[Keep]:
    """Gives a function that keeps the rows of a frame, worked out once and lazily, until the block ends.

    A persisted frame still carries its plan: every query on it walks the plan again, and compares all of it with what
    is kept. What is given back begins at the kept rows. Columns that a query does not name are not read.
    """
    frames: list[DataFrame] = []

    def keep(frame: DataFrame) -> DataFrame:
        frames.append(frame.persist())
        return _without_plan(frame)

    try:
        yield keep
    finally:
        for frame in frames:
            frame.unpersist()


def _without_plan(persisted: DataFrame) -> DataFrame:
    """A frame whose plan is the kept rows alone. Python has no way to say so: this is how Spark makes any frame."""
    spark = persisted.sparkSession
    assert isinstance(spark, SparkSession)
    assert spark._jvm is not None
    kept = persisted._jdf.queryExecution().withCachedData()
    # Without their order: in a join of the rows with themselves Spark would look for it on the wrong side.
    rows = kept.copy(kept.output(), kept.cacheBuilder(), kept.outputOrdering().take(0))
    getattr(rows, "statsOfPlanToCache_$eq")(kept.statsOfPlanToCache())
    dataset = spark._jvm.org.apache.spark.sql.classic.Dataset
    return DataFrame(dataset.ofRows(spark._jsparkSession, rows), spark)

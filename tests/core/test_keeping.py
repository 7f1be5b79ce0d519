"""Kept rows: worked out once, without their plan, and let go whatever happens."""

import pytest
from pyspark.sql import functions as F

from lifestage.core.keeping import keeping


@pytest.fixture
def numbers(spark):
    # Random numbers of no seed: two readings agree only where they read the same rows.
    return spark.range(100).withColumns({"drawn": F.rand(), "rest": F.col("id") % 7})


def n_kept(spark):
    return spark.sparkContext._jsc.getPersistentRDDs().size()


def test_rows_are_worked_out_once(numbers):
    with keeping() as keep:
        kept = keep(numbers)
        first = {row["id"]: row["drawn"] for row in kept.collect()}
        again = {row["id"]: row["drawn"] for row in kept.where("rest < 9").select("drawn", "id").collect()}
    assert first == again
    assert len(first) == 100


def test_what_is_read_from_kept_rows_does_not_know_how_they_were_made(numbers):
    with keeping() as keep:
        plan = keep(numbers.groupBy("rest").count()).where("count > 3")._jdf.queryExecution().analyzed()
        assert plan.collectLeaves().size() == 1
        assert plan.collectLeaves().head().nodeName().startswith("InMemoryRelation")


def test_rows_made_of_kept_rows_can_be_kept_beside_them(numbers):
    with keeping() as keep:
        kept = keep(numbers)
        sums = keep(kept.groupBy("rest").agg(F.sum("id").alias("total")))
        joined = kept.join(sums, on="rest")
        assert joined.agg(F.count("*"), F.sum("total")).first() == (
            100,
            sum(total_of(n % 7) for n in range(100)),
        )
        assert kept.join(kept.select("id"), on="id").count() == 100


def total_of(rest):
    return sum(range(rest, 100, 7))


def test_nothing_stays_behind(spark, numbers):
    before = n_kept(spark)
    with keeping() as keep:
        keep(numbers).count()
        assert n_kept(spark) == before + 1
    assert n_kept(spark) == before


def test_nothing_stays_behind_an_error(spark, numbers):
    before = n_kept(spark)
    with pytest.raises(Exception, match="DIVIDE_BY_ZERO"), keeping() as keep:
        keep(numbers).select(F.expr("id / rest")).collect()
    assert n_kept(spark) == before


def test_no_rows_can_be_kept(numbers):
    with keeping() as keep:
        kept = keep(numbers.where("id < 0"))
        assert kept.isEmpty()
        assert kept.schema == numbers.schema

"""What several dates tell of a stage, and the coarser schemes: worked out when read, never stored."""

from itertools import chain

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lifestage.analytics.stages.config import StageLadder


def add_history(stages: DataFrame) -> DataFrame:
    """Adds `observed_since` and `previous_stage`; same grain, every row kept.

    Args:
        stages: rows of user_stages, one per user and as_of, of every date that shall count.

    observed_since is the first as_of of the user's rows with this stage that follow each other up to this one: the
    stage may have begun on any day after the as_of before. previous_stage is the stage of that as_of; NULL where the
    user has no earlier row.
    """
    life = Window.partitionBy("user_id").orderBy("as_of")
    so_far = life.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    rows = stages.withColumn("_before", F.lag("stage").over(life))
    rows = rows.withColumn("_begins", F.col("_before").isNull() | (F.col("_before") != F.col("stage")))
    rows = rows.withColumn("_spell", F.count_if("_begins").over(so_far))
    spell = Window.partitionBy("user_id", "_spell").orderBy("as_of")
    began = spell.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    return rows.withColumns(
        {"observed_since": F.min("as_of").over(began), "previous_stage": F.first("_before").over(began)}
    ).drop("_before", "_begins", "_spell")


def add_schemes(stages: DataFrame, ladder: StageLadder) -> DataFrame:
    """Adds a column for each coarser scheme of the ladder, under its name: what the scheme calls the stage.

    NULL for a stage that the ladder of today does not have any more.
    """
    schemes = {
        name: F.create_map(*map(F.lit, chain.from_iterable(mapping.items())))[F.col("stage")]
        for name, mapping in ladder.views.items()
    }
    return stages.withColumns(schemes)

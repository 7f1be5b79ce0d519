"""Stage history and coarser schemes, computed on read and never stored."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lifestage.analytics.stages.config import StageLadder


def add_history(stages: DataFrame) -> DataFrame:
    """Add `observed_since` and `previous_stage` to each row; all rows stay.

    A spell is a run of consecutive rows of one user with the same stage. observed_since is the first as_of of the
    spell: the stage may have begun on any day since the as_of before. previous_stage is the stage before the spell,
    NULL if the user has no earlier row. A date without a row for the user doesn't end a spell.

    Args:
        stages: Rows of user_stages, unique per user_id and as_of, for every date that the history covers.
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


def find_history(stages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`add_history` for the rows of one user, in the order of their dates."""
    found: list[dict[str, Any]] = []
    for row in sorted(stages, key=lambda each: each["as_of"]):
        last = found[-1] if found else None
        if last and last["stage"] == row["stage"]:
            spell = {name: last[name] for name in ("observed_since", "previous_stage")}
        else:
            spell = {"observed_since": row["as_of"], "previous_stage": last and last["stage"]}
        found.append({**row, **spell})
    return found


def add_schemes(stages: DataFrame, ladder: StageLadder) -> DataFrame:
    """Add one column for each coarser scheme of the ladder, named after the scheme; all rows stay.

    The value is NULL for a stage that the current ladder no longer has.
    """
    schemes = {
        name: F.create_map(*map(F.lit, chain.from_iterable(mapping.items())))[F.col("stage")]
        for name, mapping in ladder.views.items()
    }
    return stages.withColumns(schemes)

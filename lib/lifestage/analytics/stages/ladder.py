"""Assign each user a lifecycle stage as of a date, and total the stages."""

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.stages.config import Stage, StageLadder
from lifestage.platform.config.expressions import columns_of
from lifestage.platform.storage.contracts import MONEY
from lifestage.users.resolution import IS_PERSON


def assign_stages(features: DataFrame, ladder: StageLadder) -> DataFrame:
    """Return one row per user and as_of: the first stage whose condition is true, the condition, and its values.

    Drops users whose status is `shared`. A condition that is NULL counts as false. A user who meets no condition gets a
    NULL stage, which the table user_stages refuses.

    Args:
        features: Rows of user_features, unique per user_id and as_of.
        ladder: Stages in order of evaluation.
    """
    return features.where(IS_PERSON).select(
        "user_id",
        "as_of",
        _first_match(ladder.ladder, lambda rung: F.lit(rung.stage)).alias("stage"),
        _first_match(ladder.ladder, lambda rung: F.lit(rung.when)).alias("rule"),
        _first_match(ladder.ladder, _condition_values).alias("matched"),
    )


def to_stage_totals(features: DataFrame, ladder: StageLadder) -> DataFrame:
    """Return one row per as_of and stage: its number of users, and their net spend of the last 30 days.

    Drops users whose status is `shared`. A stage without users has no row. Spend is in business currency; NULL counts
    as 0.
    """
    stage = _first_match(ladder.ladder, lambda rung: F.lit(rung.stage)).alias("stage")
    spent = F.coalesce(F.sum("net_amount_30d"), F.lit(0)).cast(MONEY)
    rows = features.where(IS_PERSON).select("as_of", stage, "net_amount_30d").groupBy("as_of", "stage")
    return rows.agg(F.count("*").alias("n_users"), spent.alias("net_amount_30d"))


def _first_match(rungs: Sequence[Stage], value: Callable[[Stage], Column]) -> Column:
    """Return the value for the first rung whose condition is true; NULL without one."""
    first, *others = rungs
    result = F.when(F.expr(first.when), value(first))
    for rung in others:
        result = result.when(F.expr(rung.when), value(rung))
    return result


def _condition_values(rung: Stage) -> Column:
    """Return a map of each column that the condition names to its value as text; NULL stays NULL."""
    names = sorted(columns_of(rung.when))
    if not names:
        return F.create_map().cast("map<string,string>")
    pairs = [part for name in names for part in (F.lit(name), F.col(name).cast("string"))]
    return F.create_map(*pairs)

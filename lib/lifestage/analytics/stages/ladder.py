"""Assign each user a lifecycle stage as of a date."""

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.stages.config import Stage, StageLadder
from lifestage.platform.config.expressions import columns_of
from lifestage.platform.storage.contracts import MONEY
from lifestage.users.resolution import IS_PERSON


def assign_stages(features: DataFrame, ladder: StageLadder) -> DataFrame:
    """One row per user and as_of: the first stage of the ladder whose condition holds, and the values that matched.

    Every user whose status is not `shared` is kept; a user whom no condition holds for has a NULL stage, which the
    table refuses. A NULL in a condition counts as false. The same features give the same stage.
    """
    return features.where(IS_PERSON).select(
        "user_id",
        "as_of",
        _first_match(ladder.ladder, lambda rung: F.lit(rung.stage)).alias("stage"),
        _first_match(ladder.ladder, lambda rung: F.lit(rung.when)).alias("rule"),
        _first_match(ladder.ladder, _matched).alias("matched"),
    )


def stage_totals(features: DataFrame, ladder: StageLadder) -> DataFrame:
    """One row per as_of and stage that has users: how many, and their net spend of the last 30 days (NULL counts as 0)."""
    stage = _first_match(ladder.ladder, lambda rung: F.lit(rung.stage)).alias("stage")
    spent = F.coalesce(F.sum("net_amount_30d"), F.lit(0)).cast(MONEY)
    rows = features.where(IS_PERSON).select("as_of", stage, "net_amount_30d").groupBy("as_of", "stage")
    return rows.agg(F.count("*").alias("n_users"), spent.alias("net_amount_30d"))


def _first_match(rungs: Sequence[Stage], value: Callable[[Stage], Column]) -> Column:
    first, *others = rungs
    result = F.when(F.expr(first.when), value(first))
    for rung in others:
        result = result.when(F.expr(rung.when), value(rung))
    return result


def _matched(rung: Stage) -> Column:
    """Every column that the condition names, with its value as text; NULL stays NULL."""
    names = sorted(columns_of(rung.when))
    if not names:
        return F.create_map().cast("map<string,string>")
    pairs = [part for name in names for part in (F.lit(name), F.col(name).cast("string"))]
    return F.create_map(*pairs)

"""Tiers, concentration and audiences reduced to a few plain rows; one Spark job a function."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import ceil

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.report.config import AudienceText
from lifestage.report.content import AudienceCount, StageFlow, TierCount, TopShare

PERCENTS = (1, 5, 10, 20, 50)
SPEND = "coalesce(sum(monetary_amount), 0)"


def date_before(dated: DataFrame, as_of: date) -> date | None:
    """The as_of before a date in a table; None before the first."""
    row = dated.where(F.col("as_of") < F.lit(as_of)).agg(F.max("as_of").alias("as_of")).first()
    return row["as_of"] if row else None


def stage_flows(user_stages: DataFrame, as_of: date, before: date | None) -> tuple[StageFlow, ...]:
    """Users by their stage on two dates; bounded by pairs of stages. None where there is no date before."""
    if before is None:
        return ()
    sides = [
        user_stages.where(F.col("as_of") == F.lit(day)).select("user_id", F.col("stage").alias(name))
        for day, name in ((before, "moved_from"), (as_of, "moved_to"))
    ]
    pairs = (
        sides[0].join(sides[1], on="user_id", how="full").groupBy("moved_from", "moved_to").count().collect()
    )
    flows = [StageFlow(row["moved_from"], row["moved_to"], row["count"]) for row in pairs]
    return tuple(sorted(flows, key=lambda flow: (-flow.n_users, str(flow.moved_from), str(flow.moved_to))))


def tier_counts(user_value: DataFrame, as_of: date, before: date | None) -> tuple[TierCount, ...]:
    """Users by tier, the best first, and who came and went since the date before; bounded by the tiers."""
    dates = [day for day in (before, as_of) if day]
    rows = user_value.where(F.col("as_of").isin(*dates))
    wide = rows.groupBy("user_id").agg(
        _at(before, "tier").alias("was"),
        *[_at(as_of, name).alias(name) for name in ("tier", "value_index", "monetary_amount")],
    )
    here = (
        wide.where("tier IS NOT NULL")
        .groupBy("tier")
        .agg(
            F.count("*").alias("n"),
            F.expr(SPEND).alias("amount"),
            F.min("value_index").alias("least"),
            F.count_if(~F.col("was").eqNullSafe(F.col("tier"))).alias("entered"),
        )
    )
    gone = wide.where("was IS NOT NULL AND NOT (tier <=> was)").groupBy(F.col("was").alias("tier")).count()
    found = here.join(gone, on="tier", how="left").collect()
    is_first = before is None
    tiers = [
        TierCount(
            row["tier"], row["n"], row["amount"], row["least"],
            0 if is_first else row["entered"], row["count"] or 0,
        )
        for row in found
    ]  # fmt: skip
    return tuple(sorted(tiers, key=lambda tier: (-tier.least_index, tier.tier)))


def top_shares(user_value: DataFrame, as_of: date) -> tuple[TopShare, ...]:
    """What the best 1, 5, 10, 20 and 50 percent of buyers spent, and all of them; ties share exactly."""
    buyers = user_value.where((F.col("as_of") == F.lit(as_of)) & F.col("frequency").isNotNull())
    counts = buyers.groupBy("monetary_amount").agg(F.count("*").alias("n"))
    best = Window.orderBy(F.col("monetary_amount").desc())
    earlier = best.rowsBetween(Window.unboundedPreceding, -1)
    ranked = counts.withColumns(
        {
            "users_above": F.coalesce(F.sum("n").over(earlier), F.lit(0)),
            "spent_above": F.coalesce(F.sum(F.expr("monetary_amount * n")).over(earlier), F.lit(0)),
        }
    ).persist()
    try:
        row = ranked.agg(F.sum("n").alias("n"), F.sum(F.expr("monetary_amount * n")).alias("spent")).first()
        total = int(row["n"] or 0) if row else 0
        if not row or not total:
            return ()
        tops = {percent: ceil(total * percent / 100) for percent in PERCENTS}
        met = [(F.col("users_above") < n) & (F.col("users_above") + F.col("n") >= n) for n in tops.values()]
        # At most one row of each: the amount at which the top so many end.
        ends = ranked.where(_any(met)).collect()
    finally:
        ranked.unpersist()
    spent = {
        percent: end["spent_above"] + (n - end["users_above"]) * end["monetary_amount"]
        for percent, n in tops.items()
        for end in ends
        if end["users_above"] < n <= end["users_above"] + end["n"]
    }
    found = [TopShare(percent, tops[percent], Decimal(spent[percent])) for percent in PERCENTS]
    return (*found, TopShare(100, total, Decimal(row["spent"])))


def audience_counts(
    user_audiences: DataFrame,
    user_value: DataFrame,
    texts: Mapping[str, AudienceText],
    as_of: date,
    before: date | None,
) -> tuple[AudienceCount, ...]:
    """Users of each audience, who came and went since the date before, and their spend; bounded by the audiences."""
    dates = [day for day in (before, as_of) if day]
    members = (
        user_audiences.where(F.col("as_of").isin(*dates))
        .groupBy("audience", "user_id")
        .agg(F.max(_is(before)).alias("was"), F.max(_is(as_of)).alias("is"))
    )
    spend = user_value.where(F.col("as_of") == F.lit(as_of)).select("user_id", "monetary_amount")
    rows = members.join(spend, on="user_id", how="left").groupBy("audience").agg(
        F.count_if("is").alias("n"),
        F.count_if(F.col("is") & ~F.col("was")).alias("entered"),
        F.count_if(F.col("was") & ~F.col("is")).alias("left"),
        F.coalesce(F.sum(F.when(F.col("is"), F.col("monetary_amount"))), F.lit(0)).alias("amount"),
    )  # fmt: skip
    counts = {row["audience"]: row for row in rows.collect()}
    is_first = before is None
    found = [
        AudienceCount(
            name, text.description, text.owner, row["n"] if row else 0,
            row["entered"] if row and not is_first else 0, row["left"] if row else 0,
            Decimal(row["amount"]) if row else Decimal(),
        )
        for name, text in texts.items()
        for row in [counts.get(name)]
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda audience: (-audience.n_users, audience.audience)))


def _at(day: date | None, name: str) -> Column:
    return F.max(F.when(_is(day), F.col(name)))


def _is(day: date | None) -> Column:
    return F.col("as_of") == F.lit(day) if day else F.lit(False)


def _any(conditions: Sequence[Column]) -> Column:
    found = F.lit(False)
    for condition in conditions:
        found = found | condition
    return found

"""Tiers, concentration and audiences reduced to a few plain rows; one Spark job a function."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from pyspark.sql import Column, DataFrame, Row, Window
from pyspark.sql import functions as F

from lifestage.activation.report.config import AudienceText
from lifestage.activation.report.content import AudienceCount, Flow, Part, TierCount, TopShare
from lifestage.platform.reporting.pivots import USERS, pivot

SPEND = "coalesce(sum(monetary_amount), 0)"


def date_before(dated: DataFrame, as_of: date) -> date | None:
    """The as_of before a date in a table; None before the first."""
    row = dated.where(F.col("as_of") < F.lit(as_of)).agg(F.max("as_of").alias("as_of")).first()
    return row["as_of"] if row else None


def flows(
    rows: DataFrame, group: str, as_of: date, before: date | None, others: DataFrame
) -> tuple[Flow, ...]:
    """Users by their group on two dates, most users first; bounded by pairs of groups. None before the first date.

    Args:
        rows: unique on user_id at one as_of; NULL is the group of users who are in none.
        group: the column.
        as_of: the later date.
        before: the one before it.
        others: users who merged or split between the dates (see find_regrouped_users). They leave their group for that change, and
            come into another from it: nobody knows who of them would have moved.
    """
    if before is None:
        return ()
    sides = [
        rows.where(F.col("as_of") == F.lit(day)).select("user_id", F.col(group).cast("string").alias(name))
        for day, name in ((before, "moved_from"), (as_of, "moved_to"))
    ]
    moved = sides[0].join(sides[1], on="user_id", how="full")
    ends = F.array(
        F.struct("moved_from", F.col("change").alias("moved_to")),
        F.struct(F.col("change").alias("moved_from"), "moved_to"),
    )
    changed = (
        moved.join(F.broadcast(others), on="user_id")
        .select(F.inline(ends))
        .where("moved_from IS NOT NULL AND moved_to IS NOT NULL")
    )
    same = moved.join(F.broadcast(others), on="user_id", how="left_anti").select("moved_from", "moved_to")
    pairs = pivot(same.unionByName(changed), ("moved_from", "moved_to"))
    found = [
        Flow(moved_from, moved_to, values[USERS])
        for (moved_from, moved_to), values in pairs.items()
        if moved_from or moved_to
    ]
    return tuple(sorted(found, key=lambda flow: (-flow.n_users, str(flow.moved_from), str(flow.moved_to))))


def tier_counts(user_value: DataFrame, as_of: date) -> tuple[TierCount, ...]:
    """Users by tier, the best first; bounded by the tiers."""
    rows = user_value.where((F.col("as_of") == F.lit(as_of)) & F.col("tier").isNotNull()).groupBy("tier")
    found = rows.agg(
        F.count("*").alias("n"), F.expr(SPEND).alias("amount"), F.min("value_index").alias("least")
    ).collect()
    tiers = [TierCount(row["tier"], row["n"], row["amount"], row["least"]) for row in found]
    return tuple(sorted(tiers, key=lambda tier: (-tier.least_index, tier.tier)))


def index_parts(value_scales: DataFrame, as_of: date) -> tuple[Part, ...]:
    """What the value index of a date is made of, in the order of weight; bounded by the components."""
    rows = value_scales.where(F.col("as_of") == F.lit(as_of)).collect()
    parts = [Part(row["dimension"], row["component"], row["weight"], row["p5"], row["p95"]) for row in rows]
    return tuple(sorted(parts, key=lambda part: (-part.weight, part.dimension, part.component)))


def top_shares(user_value: DataFrame, as_of: date) -> tuple[TopShare, ...]:
    """What the best 1, 2, ... 100 percent of buyers spent; who spent the same is taken in part.

    So many percent of buyers are rounded up to whole ones. Counts by distinct amount pass through one window; at most
    100 rows come to the driver: the amount at which the best p percent end, for each p.
    """
    buyers = user_value.where((F.col("as_of") == F.lit(as_of)) & F.col("frequency").isNotNull())
    counts = buyers.groupBy("monetary_amount").agg(F.count("*").alias("n"))
    best = Window.orderBy(F.col("monetary_amount").desc())
    everyone = Window.partitionBy().rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    up_to = best.rowsBetween(Window.unboundedPreceding, 0)
    ranked = counts.withColumns(
        {
            "total": F.sum("n").over(everyone),
            "users": F.sum("n").over(up_to),
            "spent": F.sum(F.expr("monetary_amount * n")).over(up_to),
        }
    ).withColumns({"last": F.expr("100 * users DIV total"), "before": F.expr("100 * (users - n) DIV total")})
    ends = ranked.where("last > before").collect()
    found = [_top(end, percent) for end in ends for percent in range(end["before"] + 1, end["last"] + 1)]
    return tuple(sorted(found, key=lambda top: top.percent))


def audience_rules(audience_definitions: DataFrame, as_of: date) -> dict[str, str]:
    """The rule of each audience on a date: the latest by then, or else its first; bounded by the audiences."""
    # In a struct, as a rule that has ended is NULL and counts all the same.
    by_then = F.expr(f"max_by(struct(sql), from_as_of) FILTER (WHERE from_as_of <= DATE'{as_of}')")
    first = F.expr("min_by(struct(sql), from_as_of)")
    rules = audience_definitions.groupBy("audience").agg(F.coalesce(by_then, first).alias("rule"))
    return {row["audience"]: row["rule"]["sql"] for row in rules.collect() if row["rule"]["sql"] is not None}


def _top(end: Row, percent: int) -> TopShare:
    """The best so many percent, who end among the users of one amount."""
    n = -(-end["total"] * percent // 100)
    return TopShare(percent, n, Decimal(end["spent"] - (end["users"] - n) * end["monetary_amount"]))


def audience_counts(
    user_audiences: DataFrame,
    user_value: DataFrame,
    texts: Mapping[str, AudienceText],
    as_of: date,
    before: date | None,
    others: DataFrame,
) -> tuple[AudienceCount, ...]:
    """Users of each audience, who came and went since the date before, and their spend; bounded by the audiences.

    Users who merged or split between the dates, the `others`, have neither come nor gone.
    """
    dates = [day for day in (before, as_of) if day]
    members = (
        user_audiences.where(F.col("as_of").isin(*dates))
        .groupBy("audience", "user_id")
        .agg(F.max(_is(before)).alias("was"), F.max(_is(as_of)).alias("is"))
    )
    spend = user_value.where(F.col("as_of") == F.lit(as_of)).select("user_id", "monetary_amount")
    known = members.join(F.broadcast(others), on="user_id", how="left")
    is_same = F.col("change").isNull()
    rows = known.join(spend, on="user_id", how="left").groupBy("audience").agg(
        F.count_if("is").alias("n"),
        F.count_if(is_same & F.col("is") & ~F.col("was")).alias("entered"),
        F.count_if(is_same & F.col("was") & ~F.col("is")).alias("left"),
        F.coalesce(F.sum(F.when(F.col("is"), F.col("monetary_amount"))), F.lit(0)).alias("amount"),
    )  # fmt: skip
    counts = {row["audience"]: row for row in rows.collect()}
    is_first = before is None
    found = [
        AudienceCount(
            name, text.description, text.owner, row["n"] if row else 0,
            row["entered"] if row and not is_first else 0, row["left"] if row else 0,
            Decimal(row["amount"]) if row else Decimal(), text.benefits,
        )
        for name, text in texts.items()
        for row in [counts.get(name)]
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda audience: (-audience.n_users, audience.audience)))


def _is(day: date | None) -> Column:
    return F.col("as_of") == F.lit(day) if day else F.lit(False)

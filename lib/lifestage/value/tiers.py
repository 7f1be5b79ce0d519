"""Tiers of the value index: by share of users or by cut points, ties together."""

from collections.abc import Sequence
from fractions import Fraction

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.value.config import Tier


def tier_cuts(valued: DataFrame, tiers: Sequence[Tier]) -> DataFrame:
    """One row per as_of and tier that has users: the least index in it, and how many users.

    A user is in the best tier whose bound is reached: by the share of scored users with a strictly lower index, or by
    the index itself. Equal indexes share a tier, whatever the row order.
    """
    counts = (
        valued.where("value_index IS NOT NULL").groupBy("as_of", "value_index").agg(F.count("*").alias("n"))
    )
    group = Window.partitionBy("as_of")
    lower = group.orderBy("value_index").rowsBetween(Window.unboundedPreceding, -1)
    ranked = counts.withColumns(
        {"_lower": F.coalesce(F.sum("n").over(lower), F.lit(0)), "_all": F.sum("n").over(group)}
    )
    reached = F.coalesce(*[F.when(_reaches(tier), F.lit(tier.tier)) for tier in tiers])
    return (
        ranked.withColumn("tier", reached)
        .groupBy("as_of", "tier")
        .agg(F.min("value_index").alias("least_index"), F.sum("n").alias("n_users"))
    )


def add_tier(valued: DataFrame, cuts: DataFrame) -> DataFrame:
    """Adds tier: that of the greatest least_index which value_index reaches; NULL without an index."""
    pairs = F.collect_list(F.struct("least_index", "tier")).alias("_tiers")
    by_date = cuts.groupBy("as_of").agg(pairs)
    rows = valued.join(F.broadcast(by_date), on="as_of", how="left")
    reached = F.filter("_tiers", lambda cut: cut["least_index"] <= F.col("value_index"))
    return rows.withColumn("tier", F.array_max(reached)["tier"])


def _reaches(tier: Tier) -> Column:
    """Shares are compared in whole numbers: 7 of 100 users reach 0.07."""
    if tier.from_index is not None:
        return F.col("value_index") >= F.lit(tier.from_index).cast("decimal(5,4)")
    share = Fraction(str(tier.from_share or 0))
    return F.col("_lower") * share.denominator >= F.col("_all") * share.numerator

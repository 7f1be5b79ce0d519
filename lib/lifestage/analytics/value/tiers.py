"""Tiers of the value index: by share of users or by cut points, ties together."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.analytics.value.config import Tier
from lifestage.analytics.value.tables import INDEX
from lifestage.platform.runtime.frames import local_rows


def tier_cuts(valued: DataFrame, tiers: Sequence[Tier]) -> DataFrame:
    """One row per as_of and tier: its least index, and how many users.

    A user is in the best tier whose bound is reached: by the share of scored users with a strictly lower index, or by
    the index itself. Equal indexes share a tier, whatever the row order. The least index is that of the tier's users;
    a tier without users has no row. Where the index itself is configured, it is the bound, and every tier has a row.
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
    found = (
        ranked.withColumn("tier", reached)
        .groupBy("as_of", "tier")
        .agg(F.min("value_index").alias("least_index"), F.sum("n").alias("n_users"))
    )
    return _with_bounds(found, tiers) if any(tier.from_index is not None for tier in tiers) else found


def add_tier(valued: DataFrame, cuts: DataFrame) -> DataFrame:
    """Adds tier: that of the greatest least_index which value_index reaches, or else the last; NULL without an index."""
    pairs = F.collect_list(F.struct("least_index", "tier")).alias("_tiers")
    by_date = cuts.groupBy("as_of").agg(pairs)
    rows = valued.join(F.broadcast(by_date), on="as_of", how="left")
    reached = F.filter("_tiers", lambda cut: cut["least_index"] <= F.col("value_index"))
    tier = F.coalesce(F.array_max(reached), F.array_min("_tiers"))["tier"]
    return rows.withColumn("tier", F.when(F.col("value_index").isNotNull(), tier))


def _with_bounds(cuts: DataFrame, tiers: Sequence[Tier]) -> DataFrame:
    """Every tier with its configured bound, on every date."""
    bounds = [(tier.tier, Decimal(str(tier.from_index or 0))) for tier in tiers]
    rows = F.broadcast(local_rows(cuts.sparkSession, bounds, "tier string, least_index decimal(38,18)"))
    every = cuts.select("as_of").distinct().crossJoin(rows)
    found = every.join(cuts.drop("least_index"), on=["as_of", "tier"], how="left")
    least = F.col("least_index").cast(INDEX).alias("least_index")
    return found.select("as_of", "tier", least, F.coalesce("n_users", F.lit(0)).alias("n_users"))


def _reaches(tier: Tier) -> Column:
    """Shares are compared in whole numbers: 7 of 100 users reach 0.07."""
    if tier.from_index is not None:
        return F.col("value_index") >= F.lit(Decimal(str(tier.from_index))).cast(INDEX)
    share = Fraction(str(tier.from_share or 0))
    return F.col("_lower") * share.denominator >= F.col("_all") * share.numerator

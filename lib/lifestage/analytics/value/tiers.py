"""Tiers of the value index, by share of users or by fixed cut points."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.analytics.value.config import Tier
from lifestage.analytics.value.tables import INDEX
from lifestage.platform.runtime.frames import local_rows


def to_tier_cuts(valued: DataFrame, tiers: Sequence[Tier]) -> DataFrame:
    """Return one row per as_of and tier: its cut point least_index, and its number of users.

    A user is in the best tier whose bound they reach, either with the share of scored users who have a strictly lower
    index (`from_share`) or with the index itself (`from_index`). Equal indexes share a tier, for any row order. Users
    with a NULL index don't count.

    With `from_share`, least_index is the least index of the tier's users, and a tier without users has no row. With
    `from_index`, least_index is that bound, and every tier has a row.

    Args:
        valued: The result of `add_index`, unique per user_id and as_of.
        tiers: The best first.
    """
    counts = (
        valued.where("value_index IS NOT NULL").groupBy("as_of", "value_index").agg(F.count("*").alias("n"))
    )
    group = Window.partitionBy("as_of")
    lower = group.orderBy("value_index").rowsBetween(Window.unboundedPreceding, -1)
    ranked = counts.withColumns(
        {"_lower": F.coalesce(F.sum("n").over(lower), F.lit(0)), "_all": F.sum("n").over(group)}
    )
    reached = F.coalesce(*[F.when(_reaches_bound(tier), F.lit(tier.tier)) for tier in tiers])
    cuts = (
        ranked.withColumn("tier", reached)
        .groupBy("as_of", "tier")
        .agg(F.min("value_index").alias("least_index"), F.sum("n").alias("n_users"))
    )
    has_fixed_bounds = any(tier.from_index is not None for tier in tiers)
    return _replace_cut_points(cuts, tiers) if has_fixed_bounds else cuts


def add_tier(valued: DataFrame, cuts: DataFrame) -> DataFrame:
    """Add the tier with the greatest least_index that the value_index reaches; all rows stay.

    A user below every cut point, as with cuts of another date, gets the lowest tier; one without an index gets NULL.

    Args:
        valued: The result of `add_index`.
        cuts: Rows of tier_cuts, unique per as_of and tier.
    """
    pairs = F.collect_list(F.struct("least_index", "tier")).alias("_tiers")
    by_date = cuts.groupBy("as_of").agg(pairs)
    rows = valued.join(F.broadcast(by_date), on="as_of", how="left")
    reached = F.filter("_tiers", lambda cut: cut["least_index"] <= F.col("value_index"))
    tier = F.coalesce(F.array_max(reached), F.array_min("_tiers"))["tier"]
    return rows.withColumn("tier", F.when(F.col("value_index").isNotNull(), tier))


def _replace_cut_points(cuts: DataFrame, tiers: Sequence[Tier]) -> DataFrame:
    """Replace found cut points by the fixed ones, and add a row for each tier without users, on every date."""
    bounds = [(tier.tier, Decimal(str(tier.from_index or 0))) for tier in tiers]
    rows = F.broadcast(local_rows(cuts.sparkSession, bounds, "tier string, least_index decimal(38,18)"))
    by_date = cuts.select("as_of").distinct().crossJoin(rows)
    joined = by_date.join(cuts.drop("least_index"), on=["as_of", "tier"], how="left")
    least = F.col("least_index").cast(INDEX).alias("least_index")
    return joined.select("as_of", "tier", least, F.coalesce("n_users", F.lit(0)).alias("n_users"))


def _reaches_bound(tier: Tier) -> Column:
    """Return whether a row reaches the tier's bound; a share is compared in whole numbers, so 7 of 100 users reach 0.07."""
    if tier.from_index is not None:
        return F.col("value_index") >= F.lit(Decimal(str(tier.from_index))).cast(INDEX)
    share = Fraction(str(tier.from_share or 0))
    return F.col("_lower") * share.denominator >= F.col("_all") * share.numerator

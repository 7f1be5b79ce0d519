"""Totals of value over all users: by cell and tier, and how spend is concentrated."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lifestage.platform.storage.contracts import MONEY

GROUP = ("as_of", "rfm_status", "rfm_period_days", "r_score", "f_score", "rfm_name", "tier")


def build_totals(users: DataFrame) -> DataFrame:
    """One row per as_of, RFM status, cell and tier of user_value; NULL is a group of its own. NULL spend counts as 0."""
    return users.groupBy(*GROUP).agg(
        F.count("*").alias("n_users"),
        F.coalesce(F.sum("monetary_amount"), F.lit(0)).cast(MONEY).alias("monetary_amount"),
        F.min("value_index").alias("least_index"),
    )


def build_spend_shares(users: DataFrame) -> DataFrame:
    """One row per as_of and percent from 1 to 100: the best so many percent of buyers, and what they spent.

    Buyers are users with a purchase occasion in the period. Their number is rounded up. Where the last of them share
    their spend with others, only so many of these count as are needed, so row order does not matter. A date without
    buyers has no row. Counts by distinct spend pass through one window per date.
    """
    counts = (
        users.where("frequency IS NOT NULL").groupBy("as_of", "monetary_amount").agg(F.count("*").alias("n"))
    )
    of_date = Window.partitionBy("as_of")
    everyone = of_date.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    best = of_date.orderBy(F.col("monetary_amount").desc())
    so_far = best.rowsBetween(Window.unboundedPreceding, 0)
    ranked = counts.withColumns(
        {
            "total": F.sum("n").over(everyone),
            "users": F.sum("n").over(so_far),
            "spent": F.sum(F.expr("monetary_amount * n")).over(so_far),
        }
    )
    # The percentages that end among the buyers of one amount.
    bounds = {"low": F.expr("100 * (users - n) DIV total + 1"), "high": F.expr("100 * users DIV total")}
    ends = ranked.withColumns(bounds).where("low <= high")
    shares = ends.withColumn("percent", F.explode(F.expr("sequence(low, high)"))).withColumn(
        "n_users", F.expr("(total * percent + 99) DIV 100")
    )
    return shares.select(
        "as_of",
        F.col("percent").cast("int").alias("percent"),
        "n_users",
        F.expr("spent - (users - n_users) * monetary_amount").cast(MONEY).alias("monetary_amount"),
    )

"""Categories that users buy: how many, the top one, and the price level within them."""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.users.features.state import as_of_rows
from lifestage.users.resolution import add_user, is_visible_as_of

SPAN_DAYS = 365
MICRO_PER_MINOR = 10_000
USER_CATEGORY = ("user_id", "as_of", "category")


def to_user_categories(category_days: DataFrame, users: DataFrame, as_of_dates: Sequence[date]) -> DataFrame:
    """One row per user, as_of and category over the 365 days that end with as_of, both ends included.

    Rows without a category are dropped.

    Returns:
        user_id, as_of, category, gross and net (minor units), units (thousandths) and n_days (days with a purchase);
        all are whole numbers, so sums are exact.
    """
    dates = as_of_rows(category_days.sparkSession, as_of_dates)
    span = F.col("event_date").between(min(as_of_dates) - timedelta(days=SPAN_DAYS - 1), max(as_of_dates))
    days = add_user(category_days.where(span & F.col("category").isNotNull()), users)
    # Subject-days of a user merge first, so that a count of rows is a count of days.
    user_days = (
        days.repartition("user_id")
        .groupBy("user_id", "only_on", "event_date", "category")
        .agg(
            F.sum(F.expr("CAST(gross_amount * 100 AS BIGINT)")).alias("gross"),
            F.sum(F.expr("CAST(net_amount * 100 AS BIGINT)")).alias("net"),
            F.sum(F.expr("CAST(quantity * 1000 AS BIGINT)")).alias("units"),
            F.sum("n_purchases").alias("n_purchases"),
        )
    )
    return (
        user_days.join(dates, on=is_visible_as_of() & (F.datediff("as_of", "event_date") < SPAN_DAYS))
        .groupBy(*USER_CATEGORY)
        .agg(
            F.sum("gross").alias("gross"),
            F.sum("net").alias("net"),
            F.sum("units").alias("units"),
            F.count_if(F.col("n_purchases") > 0).alias("n_days"),
        )
    )


def build_unit_prices(user_categories: DataFrame) -> DataFrame:
    """Rows of norms: the mean price of a unit per as_of and category, in millionths of the currency, rounded down.

    A category without units has no price.
    """
    totals = user_categories.groupBy("as_of", "category").agg(
        F.sum("gross").alias("gross"), F.sum("units").alias("n")
    )
    price = F.expr(f"CAST(CAST(gross AS DECIMAL(38,0)) * {MICRO_PER_MINOR} * 1000 DIV n AS BIGINT)")
    prices = totals.where("n > 0").withColumns({"value": price, "norm": F.lit("unit_price")})
    return prices.select("as_of", "norm", F.col("category").alias("group"), "value", "n")


def to_category_state(user_categories: DataFrame, prices: DataFrame) -> DataFrame:
    """One row per user and as_of with the category columns of user_state.

    Only categories with net spend above zero count, also as repeat categories (purchases on at least two days), so that
    the repeat rate is a share. The top category has the greatest net spend, ties by name. Categories without a unit
    price count in neither the expected nor the priced amount.
    """
    price = prices.select("as_of", F.col("group").alias("category"), F.col("value").alias("price"))
    rows = user_categories.join(F.broadcast(price), on=["as_of", "category"], how="left")
    expected = F.expr("CAST(CAST(units AS DECIMAL(38,0)) * price DIV 1000 AS BIGINT)")
    has_spend = F.col("net") > 0
    by_spend = F.when(has_spend, F.struct((-F.col("net")).alias("spend"), "category"))
    return rows.groupBy("user_id", "as_of").agg(
        F.count_if(has_spend).alias("n_categories_365d"),
        F.count_if(has_spend & (F.col("n_days") >= 2)).alias("n_repeat_categories_365d"),
        F.min(by_spend)["category"].alias("top_category_365d"),
        F.sum(expected).alias("expected_amount_365d"),
        F.sum(F.when(F.col("price").isNotNull(), F.col("gross"))).alias("priced_amount_365d"),
    )

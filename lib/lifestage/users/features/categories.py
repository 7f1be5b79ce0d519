"""Categories that users buy: their totals over a year, the top one, and the price level within them."""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.users.features.windows import USER_AS_OF, as_of_rows, move_of
from lifestage.users.resolution import add_user, is_visible_as_of

SPAN_DAYS = 365
MICRO_PER_MINOR = 10_000
# The number of maps that prices are split into, because Spark searches a map entry by entry.
N_PRICE_MAPS = 256
TOTALS = ("gross", "net", "units", "n_purchase_days", "n_days")
TOTALS_TYPE = f"array<struct<category: string, {', '.join(f'{name}: bigint' for name in TOTALS)}>>"


def to_user_category_days(category_days: DataFrame, users: DataFrame) -> DataFrame:
    """One row per user, only_on, business date and category; rows without a category are dropped.

    Args:
        category_days: subject-days by category.
        users: the user of each subject (see resolve_users).

    Returns:
        user_id, only_on, event_date, category, and what totals sum: gross and net (minor units), units (thousandths),
        n_purchase_days (1 for a day with a purchase, else 0) and n_days (1). All are whole numbers, so sums are exact.
    """
    days = add_user(category_days.where(F.col("category").isNotNull()), users).repartition("user_id")
    # Subject-days of a user merge first, so that a sum of rows counts days.
    merged = days.groupBy("user_id", "only_on", "event_date", "category").agg(
        F.sum(F.expr("CAST(gross_amount * 100 AS BIGINT)")).alias("gross"),
        F.sum(F.expr("CAST(net_amount * 100 AS BIGINT)")).alias("net"),
        F.sum(F.expr("CAST(quantity * 1000 AS BIGINT)")).alias("units"),
        F.sum("n_purchases").alias("n_purchases"),
    )
    is_purchase_day = F.when(F.col("n_purchases") > 0, 1).otherwise(0)
    return merged.withColumns(
        {"n_purchase_days": is_purchase_day.cast("bigint"), "n_days": F.lit(1).cast("bigint")}
    ).drop("n_purchases")


def in_span(as_of_dates: Sequence[date]) -> Column:
    """Whether event_date is in the 365 days that end with one of the dates, or between two of these spans."""
    first = min(as_of_dates) - timedelta(days=SPAN_DAYS - 1)
    return F.col("event_date").between(first, max(as_of_dates))


def rebuild_category_totals(user_category_days: DataFrame, as_of_dates: Sequence[date]) -> DataFrame:
    """One row per user and as_of with `category_totals` over the 365 days that end with as_of, both ends included.

    Users without a category in them have no row. Totals are in order of category.
    """
    dates = as_of_rows(user_category_days.sparkSession, as_of_dates)
    is_inside = is_visible_as_of() & (F.datediff("as_of", "event_date") < SPAN_DAYS)
    rows = user_category_days.join(dates, on=is_inside)
    totals = rows.groupBy(*USER_AS_OF, "category").agg(*[F.sum(name).alias(name) for name in TOTALS])
    return _collect_totals(totals, *USER_AS_OF)


def advance_category_totals(
    before: DataFrame, user_category_days: DataFrame, since: date, as_of: date
) -> DataFrame:
    """One row per user of `user_category_days`, with category_totals as of `as_of`.

    Args:
        before: user_id and category_totals as of `since`, of these users and others.
        user_category_days: at least the days that enter or leave the span (see is_moved).
        since: the date of `before`.
        as_of: a later date, or the same.
    """
    moves = move_of(SPAN_DAYS, 0, since, as_of)
    changes = user_category_days.select(
        "user_id", "category", *[(F.col(name) * moves).alias(name) for name in TOTALS]
    )
    users = changes.select("user_id").distinct()
    stored = before.join(users, on="user_id", how="left_semi").select("user_id", F.inline("category_totals"))
    totals = (
        stored.select("user_id", "category", *TOTALS)
        .unionByName(changes)
        .groupBy("user_id", "category")
        .agg(*[F.sum(name).alias(name) for name in TOTALS])
    )
    # Drop categories without a day in the span.
    collected = _collect_totals(totals.where("n_days > 0"), "user_id")
    return users.join(collected, on="user_id", how="left").withColumn(
        "category_totals", fill_category_totals()
    )


def fill_category_totals() -> Column:
    """category_totals; an empty array where it is NULL."""
    return F.coalesce("category_totals", F.array().cast(TOTALS_TYPE))


def _collect_totals(totals: DataFrame, *grain: str) -> DataFrame:
    # A struct sorts by its first field, which is unique for a user.
    entry = F.struct("category", *TOTALS)
    return totals.groupBy(*grain).agg(F.array_sort(F.collect_list(entry)).alias("category_totals"))


def build_unit_prices(state: DataFrame) -> DataFrame:
    """Rows of norms: the mean price of a unit per as_of and category, in millionths of the currency, rounded down.

    A category without units has no price.
    """
    entries = state.select("as_of", F.inline("category_totals"))
    totals = entries.groupBy("as_of", "category").agg(
        F.sum("gross").alias("gross"), F.sum("units").alias("n")
    )
    price = F.expr(f"CAST(CAST(gross AS DECIMAL(38,0)) * {MICRO_PER_MINOR} * 1000 DIV n AS BIGINT)")
    prices = totals.where("n > 0").withColumns({"value": price, "norm": F.lit("unit_price")})
    return prices.select("as_of", "norm", F.col("category").alias("group"), "value", "n")


def add_category_columns(state: DataFrame, norms: DataFrame) -> DataFrame:
    """Adds the category columns (see CATEGORY_COLUMNS) from category_totals; same grain, no shuffle.

    Only categories with net spend above zero count, also as repeat categories (purchases on at least two days), so that
    the repeat rate is a share. The top category has the greatest net spend, ties by name. Categories without a unit
    price count in neither the expected nor the priced amount.

    Args:
        state: rows with as_of and category_totals.
        norms: norms of the same dates.
    """
    rows = state.join(F.broadcast(_index_prices(norms)), on="as_of", how="left").withColumns(
        {
            "_bought": F.filter("category_totals", lambda total: total["net"] > 0),
            "_priced": F.filter(
                F.transform("category_totals", _add_price), lambda total: total["price"].isNotNull()
            ),
        }
    )
    sums = {
        "expected_amount_365d": "CAST(CAST(each.units AS DECIMAL(38,0)) * each.price DIV 1000 AS BIGINT)",
        "priced_amount_365d": "each.gross",
    }
    least = (
        "array_min(transform(_bought, each -> named_struct('spend', -each.net, 'category', each.category)))"
    )
    again = F.filter("_bought", lambda total: total["n_purchase_days"] >= 2)
    return rows.withColumns(
        {
            "n_categories_365d": F.size("_bought").cast("bigint"),
            "n_repeat_categories_365d": F.size(again).cast("bigint"),
            "top_category_365d": F.expr(f"{least}.category"),
            **{
                name: F.expr(f"aggregate(_priced, 0L, (total, each) -> total + {value})")
                for name, value in sums.items()
            },
        }
    ).drop("_bought", "_priced", "_prices")


def _index_prices(norms: DataFrame) -> DataFrame:
    """One row per as_of with unit prices: `_prices`, an array of maps from category to price."""
    prices = norms.where("norm = 'unit_price'").withColumn("_part", _part_of(F.col("group")))
    maps = prices.groupBy("as_of", "_part").agg(
        F.map_from_entries(F.collect_list(F.struct("group", "value"))).alias("_map")
    )
    by_part = maps.groupBy("as_of").agg(
        F.map_from_entries(F.collect_list(F.struct("_part", "_map"))).alias("_maps")
    )
    parts = F.sequence(F.lit(0), F.lit(N_PRICE_MAPS - 1))
    return by_part.select(
        "as_of", F.transform(parts, lambda part: F.try_element_at("_maps", part)).alias("_prices")
    )


def _part_of(category: Column) -> Column:
    return F.pmod(F.xxhash64(category), F.lit(N_PRICE_MAPS)).cast("int")


def _add_price(total: Column) -> Column:
    price = F.try_element_at(F.get("_prices", _part_of(total["category"])), total["category"])
    return F.struct(total["gross"].alias("gross"), total["units"].alias("units"), price.alias("price"))

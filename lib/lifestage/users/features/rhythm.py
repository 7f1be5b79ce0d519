"""The rhythm of purchase occasions: gaps, cycles, silence and returns, by user and for the population."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.users.features.config import FeaturesConfig, Rhythm
from lifestage.users.resolution import IS_PERSON

GAPS = "IF(size(occasion_days) < 2, array(), transform(sequence(1, size(occasion_days) - 1), i -> datediff(occasion_days[i], occasion_days[i - 1])))"


def add_gaps(state: DataFrame) -> DataFrame:
    """Adds `gaps`: days between consecutive purchase occasions, oldest first; empty with fewer than two."""
    return state.withColumn("gaps", F.expr(GAPS))


def build_cycle_norms(state: DataFrame, rhythm: Rhythm) -> DataFrame:
    """Rows of norms: the percentile of the pooled gaps per as_of, by first-purchase channel and for all (group NULL).

    Shared users do not count. The percentile is exact (see to_quantiles).
    """
    users = state.where(IS_PERSON)
    pooled = users.select(
        "as_of", F.col("first_purchase_channel").alias("group"), F.explode("gaps").alias("value")
    )
    of_all = pooled.withColumn("group", F.lit(None).cast("string"))
    by_channel = pooled.where(F.col("group").isNotNull())
    quantiles = to_quantiles(by_channel.unionByName(of_all), rhythm.percentile)
    return quantiles.withColumn("norm", F.lit("cycle_days"))


def build_spend_norms(state: DataFrame) -> DataFrame:
    """Rows of norms: the median net spend of 365 days per as_of, in minor units, of users with an occasion in them.

    Shared users do not count.
    """
    buyers = state.where(IS_PERSON).where("occasions_365d > 0")
    spend = buyers.select(
        "as_of",
        F.lit(None).cast("string").alias("group"),
        F.expr("CAST(net_amount_365d * 100 AS BIGINT)").alias("value"),
    )
    return to_quantiles(spend, 50).withColumn("norm", F.lit("net_amount_365d"))


def to_quantiles(values: DataFrame, percent: int) -> DataFrame:
    """One row per as_of and group: the quantile, and n, the number of values.

    The quantile is the least value with a cumulative share of at least `percent`. It is computed from counts by distinct
    value, so it is exact.
    """
    counts = values.groupBy("as_of", "group", "value").agg(F.count("*").alias("n"))
    group = Window.partitionBy("as_of", "group")
    up_to = group.orderBy("value").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    cumulative = counts.select(
        "as_of",
        "group",
        "value",
        F.sum("n").over(up_to).alias("up_to"),
        F.sum("n").over(group).alias("total"),
    )
    reached = cumulative.where(F.col("up_to") * 100 >= F.col("total") * percent)
    return reached.groupBy("as_of", "group").agg(
        F.min("value").cast("bigint").alias("value"), F.max("total").alias("n")
    )


def add_rhythm(state: DataFrame, norms: DataFrame, config: FeaturesConfig) -> DataFrame:
    """Adds the rhythm columns of user_features; same grain, every row kept.

    The cycle is the percentile of the user's own gaps if there are at least `min_gaps`, else the norm of the
    first-purchase channel if it has at least `min_channel_gaps`, else the norm of all users, else the default. It is
    then clamped to floor and ceiling. The returned gap is the longest gap that ended in the recent span, of equally long
    ones the latest; its cycle is computed from the gaps before it. Silence counts from the last occasion, or from the
    last active day of users without one.

    Args:
        state: state with gaps and category columns (see add_gaps, add_category_columns).
        norms: norms of the same dates.
        config: rhythm, and the start of recorded history.
    """
    rhythm = config.rhythm
    rows = state.join(F.broadcast(_norms_by_date(norms, rhythm)), on="as_of", how="left")
    rows = rows.withColumns(
        {
            "_channel_norm": F.try_element_at("_by_channel", F.col("first_purchase_channel")),
            "own_cycle_days": _own_percentile("gaps", rhythm).cast("bigint"),
            "median_gap_days": F.expr(
                "IF(size(gaps) = 0, NULL, array_sort(gaps)[(size(gaps) + 1) DIV 2 - 1])"
            ).cast("bigint"),
            "_returned": F.expr(_longest_recent_gap(rhythm)),
        }
    )
    norm = F.coalesce("_channel_norm", "_of_all", F.lit(rhythm.default_days))
    rows = rows.withColumn("_gaps_before", F.expr("slice(gaps, 1, coalesce(_returned.position, 0))"))
    last_sign = F.coalesce("last_occasion_on", "last_active_on")
    censored_until = F.date_add(F.lit(config.history_starts_on), config.left_censor_margin_days)
    return rows.withColumns(
        {
            "is_left_censored": F.col("joined_on") <= censored_until,
            "silence_days": F.datediff("as_of", last_sign).cast("bigint"),
            "cycle_days": _clamp_cycle(F.coalesce("own_cycle_days", norm), rhythm),
            "cycle_source": F.when(F.col("own_cycle_days").isNotNull(), F.lit("own"))
            .when(F.col("_channel_norm").isNotNull(), F.lit("channel"))
            .when(F.col("_of_all").isNotNull(), F.lit("all"))
            .when(F.col("_of_all").isNull(), F.lit("default")),
            "returned_gap_days": F.col("_returned.gap").cast("bigint"),
            "returned_gap_cycle_days": F.when(
                F.col("_returned").isNotNull(),
                _clamp_cycle(F.coalesce(_own_percentile("_gaps_before", rhythm), norm), rhythm),
            ),
            "is_below_median_spend": F.expr(
                "coalesce(CAST(net_amount_365d * 100 AS BIGINT) < _median_spend, false)"
            ),
            "repeat_rate_365d": F.expr(
                "try_divide(CAST(n_repeat_categories_365d AS DOUBLE), n_categories_365d)"
            ),
            "price_level_365d": F.expr(
                "try_divide(CAST(priced_amount_365d AS DOUBLE) * 10000, expected_amount_365d)"
            ),
        }
    )


def _norms_by_date(norms: DataFrame, rhythm: Rhythm) -> DataFrame:
    """One row per as_of: cycle norms by channel (with enough gaps), the cycle norm of all, and the median spend."""
    is_cycle = F.col("norm") == "cycle_days"
    channel = is_cycle & F.col("group").isNotNull() & (F.col("n") >= rhythm.min_channel_gaps)
    by_channel = F.collect_list(F.when(channel, F.struct("group", "value")))
    return norms.groupBy("as_of").agg(
        F.map_from_entries(by_channel).alias("_by_channel"),
        F.max(F.when(is_cycle & F.col("group").isNull(), F.col("value"))).alias("_of_all"),
        F.max(F.when(F.col("norm") == "net_amount_365d", F.col("value"))).alias("_median_spend"),
    )


def _own_percentile(gaps: str, rhythm: Rhythm) -> Column:
    """The least gap with a cumulative share of at least the percentile; NULL with fewer than `min_gaps`."""
    position = f"(size({gaps}) * {rhythm.percentile} + 99) DIV 100 - 1"
    return F.expr(f"IF(size({gaps}) < {rhythm.min_gaps}, NULL, array_sort({gaps})[CAST({position} AS INT)])")


def _longest_recent_gap(rhythm: Rhythm) -> str:
    """SQL: the longest gap that ended in the recent span (of equals the latest) and its position; NULL without one."""
    ended = f"datediff(as_of, occasion_days[i + 1]) < {rhythm.recent_days}"
    positions = f"filter(IF(size(gaps) = 0, array(), sequence(0, size(gaps) - 1)), i -> {ended})"
    return f"array_max(transform({positions}, i -> named_struct('gap', gaps[i], 'position', i)))"


def _clamp_cycle(cycle: Column, rhythm: Rhythm) -> Column:
    return F.least(F.greatest(cycle, F.lit(rhythm.floor_days)), F.lit(rhythm.ceiling_days)).cast("bigint")

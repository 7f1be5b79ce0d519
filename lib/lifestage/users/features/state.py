"""Build the state of users as of one or several dates: all that features need of their history."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows
from lifestage.users.catalogue.model import (
    Aggregate,
    Catalogue,
    Measure,
    Window,
    is_distinct,
    type_of,
)
from lifestage.users.features.user_days import digits_of
from lifestage.users.resolution import is_visible_as_of

USER_AS_OF = ("user_id", "as_of")


def rebuild_state(
    user_days: DataFrame, sketches: DataFrame, as_of_dates: Sequence[date], catalogue: Catalogue
) -> DataFrame:
    """One row per user and as_of, for every user with a day up to as_of: windows, dates and occasion days.

    A window of N days is the N calendar days that end with as_of (or `shift` days before it), both ends included.
    Without days in it a sum or distinct count is 0, a min or max NULL. Each date gets the rows that it would get alone.

    Args:
        user_days: see to_user_days.
        sketches: see to_user_sketches.
        as_of_dates: dates to build.
        catalogue: windows and dates.
    """
    visible = _join_as_of_dates(user_days, as_of_dates)
    windows = [window for window in catalogue.all_windows() if not is_distinct(catalogue.source_of(window))]
    sums = visible.groupBy(*USER_AS_OF).agg(
        F.min("status").alias("status"),
        F.min("only_on").alias("only_on"),
        F.min_by(
            "purchase_channel", F.when(F.col("purchase_channel").isNotNull(), F.col("event_date"))
        ).alias("first_purchase_channel"),
        *[
            (F.min(name) if mark.which == "first" else F.max(name)).alias(name)
            for name, mark in catalogue.dates.items()
        ],
        *[_sum_window(catalogue, window).alias(window.name) for window in windows],
    )
    # Arrays and sketches are aggregated apart: beside wide sums they take those off Spark's fast path.
    occasions = _collect_occasion_days(user_days)
    is_same = (F.col("user_id") == F.col("_user_id")) & F.col("only_on").eqNullSafe(F.col("_only_on"))
    joined = sums.join(occasions, on=is_same, how="left").drop("_user_id", "_only_on", "only_on")
    state = joined.withColumn(
        "occasion_days", F.expr("filter(coalesce(occasion_days, array()), day -> day <= as_of)")
    )
    distinct = [window for window in catalogue.all_windows() if is_distinct(catalogue.source_of(window))]
    if not distinct:
        return state
    return _add_distinct_counts(state, _join_as_of_dates(sketches, as_of_dates), distinct)


def _join_as_of_dates(user_days: DataFrame, as_of_dates: Sequence[date]) -> DataFrame:
    """Each user-day once per as_of at which it is visible, with its age in days (0 on as_of itself)."""
    rows = user_days.join(as_of_rows(user_days.sparkSession, as_of_dates), on=is_visible_as_of())
    return rows.withColumn("_age", F.datediff("as_of", "event_date"))


def as_of_rows(spark: SparkSession, as_of_dates: Sequence[date]) -> DataFrame:
    """One row per date. Rows rather than literals, so that Spark generates the same code for every date."""
    return F.broadcast(local_rows(spark, [(day,) for day in as_of_dates], "as_of date"))


def _sum_window(catalogue: Catalogue, window: Window) -> Column:
    """The measure over the days of the window, converted back from minor units."""
    source = catalogue.source_of(window)
    value = F.when(_is_inside(window), F.col(window.measure))
    aggregate = source.aggregate if isinstance(source, Measure) else Aggregate.SUM
    match aggregate:
        case Aggregate.MIN:
            total = F.min(value)
        case Aggregate.MAX:
            total = F.max(value)
        case _:
            total = F.coalesce(F.sum(value), F.lit(0))
    digits = digits_of(source)
    return (total / F.lit(10**digits).cast("decimal(4,0)")).cast(type_of(source.unit)) if digits else total


def _is_inside(window: Window) -> Column:
    if window.days is None:
        return F.lit(True)
    return F.col("_age").between(window.shift, window.shift + window.days - 1)


def _collect_occasion_days(user_days: DataFrame) -> DataFrame:
    days = user_days.where("occasions > 0").groupBy(
        F.col("user_id").alias("_user_id"), F.col("only_on").alias("_only_on")
    )
    return days.agg(F.array_sort(F.collect_list("event_date")).alias("occasion_days"))


def _add_distinct_counts(state: DataFrame, sketches: DataFrame, windows: Sequence[Window]) -> DataFrame:
    """Adds the distinct counts of some windows; 0 for a user without values."""
    inside = {window.name: F.when(_is_inside(window), F.col(window.measure)) for window in windows}
    estimates = [
        F.theta_sketch_estimate(F.theta_union_agg(value)).alias(name) for name, value in inside.items()
    ]
    counts = sketches.groupBy(*USER_AS_OF).agg(*estimates)
    return state.join(counts, on=list(USER_AS_OF), how="left").fillna(0, list(inside))

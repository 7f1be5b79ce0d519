"""User-days to the state of each user at one or several dates: what needs history."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows
from lifestage.users.catalogue.model import (
    Aggregate,
    Catalogue,
    DateMark,
    Measure,
    Window,
    is_distinct,
    type_of,
)
from lifestage.users.features.user_days import digits_of
from lifestage.users.resolution import is_seen_on

USER_AS_OF = ("user_id", "as_of")


def rebuild_state(
    user_days: DataFrame, sketches: DataFrame, as_of_dates: Sequence[date], catalogue: Catalogue
) -> DataFrame:
    """One row per user and as_of for every user with a day up to it: windows, dates and occasion days.

    A window of N days are the N calendar days that end with as_of (or `shift` days before it), both ends included.
    Several dates in one pass give the rows that each alone gives.
    """
    seen = _at_each_date(user_days, as_of_dates)
    windows = [window for window in catalogue.all_windows() if not is_distinct(catalogue.source_of(window))]
    sums = seen.groupBy(*USER_AS_OF).agg(
        F.min("status").alias("status"),
        F.min("only_on").alias("only_on"),
        F.min_by(
            "purchase_channel", F.when(F.col("purchase_channel").isNotNull(), F.col("event_date"))
        ).alias("first_purchase_channel"),
        *[_marked(name, mark).alias(name) for name, mark in catalogue.dates.items()],
        *[_windowed(catalogue, window).alias(window.name) for window in windows],
    )
    # Arrays and sketches are aggregated apart: beside wide sums they would take those off the fast path.
    occasions = _occasion_days(user_days)
    is_same = (F.col("user_id") == F.col("_user_id")) & F.col("only_on").eqNullSafe(F.col("_only_on"))
    joined = sums.join(occasions, on=is_same, how="left").drop("_user_id", "_only_on", "only_on")
    state = joined.withColumn(
        "occasion_days", F.expr("filter(coalesce(occasion_days, array()), day -> day <= as_of)")
    )
    counted = [window for window in catalogue.all_windows() if is_distinct(catalogue.source_of(window))]
    return _with_distinct(state, _at_each_date(sketches, as_of_dates), counted) if counted else state


def _at_each_date(user_days: DataFrame, as_of_dates: Sequence[date]) -> DataFrame:
    """Each user-day once per as_of that sees it, with its age in days (0 = as_of itself)."""
    rows = user_days.join(as_of_rows(user_days.sparkSession, as_of_dates), on=is_seen_on())
    return rows.withColumn("_age", F.datediff("as_of", "event_date"))


def as_of_rows(spark: SparkSession, as_of_dates: Sequence[date]) -> DataFrame:
    """One row a date. As rows, not as literals: the code that Spark generates is then the same on every date."""
    return F.broadcast(local_rows(spark, [(day,) for day in as_of_dates], "as_of date"))


def _marked(name: str, mark: DateMark) -> Column:
    return F.min(name) if mark.which == "first" else F.max(name)


def _windowed(catalogue: Catalogue, window: Window) -> Column:
    """The measure over the days of the window, back from minor units; sums of nothing are 0, extremes NULL."""
    source = catalogue.source_of(window)
    value = F.when(_inside(window), F.col(window.measure))
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


def _inside(window: Window) -> Column:
    if window.days is None:
        return F.lit(True)
    return F.col("_age").between(window.shift, window.shift + window.days - 1)


def _occasion_days(user_days: DataFrame) -> DataFrame:
    days = user_days.where("occasions > 0").groupBy(
        F.col("user_id").alias("_user_id"), F.col("only_on").alias("_only_on")
    )
    return days.agg(F.array_sort(F.collect_list("event_date")).alias("occasion_days"))


def _with_distinct(state: DataFrame, sketches: DataFrame, windows: Sequence[Window]) -> DataFrame:
    """Adds the counts of distinct values; 0 where a user has none."""
    inside = {window.name: F.when(_inside(window), F.col(window.measure)) for window in windows}
    counts = [F.theta_sketch_estimate(F.theta_union_agg(value)).alias(name) for name, value in inside.items()]
    counted = sketches.groupBy(*USER_AS_OF).agg(*counts)
    return state.join(counted, on=list(USER_AS_OF), how="left").fillna(0, list(inside))

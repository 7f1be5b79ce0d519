"""Windows of days: which user-days are inside, and which enter or leave between two dates.

A window of N days is the N calendar days that end with as_of (or `shift` days before it), both ends included.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows
from lifestage.users.catalogue.model import Window
from lifestage.users.resolution import is_visible_as_of

USER_AS_OF = ("user_id", "as_of")


def join_as_of_dates(days: DataFrame, as_of_dates: Sequence[date]) -> DataFrame:
    """Each row by event_date once per as_of at which it is visible, with its age in days (0 on as_of itself)."""
    rows = days.join(as_of_rows(days.sparkSession, as_of_dates), on=is_visible_as_of())
    return rows.withColumn("_age", F.datediff("as_of", "event_date"))


def as_of_rows(spark: SparkSession, as_of_dates: Sequence[date]) -> DataFrame:
    """One row per date. Rows rather than literals, so that Spark generates the same code for every date."""
    return F.broadcast(local_rows(spark, [(day,) for day in as_of_dates], "as_of date"))


def is_inside(window: Window) -> Column:
    """Whether a row with an age (see join_as_of_dates) is in the window."""
    if window.days is None:
        return F.lit(True)
    return F.col("_age").between(window.shift, window.shift + window.days - 1)


def move_of(days: int | None, shift: int, since: date, as_of: date) -> Column:
    """1 for an event_date that enters the window between two dates, -1 for one that leaves it, else 0."""
    after, before = (_holds(days, shift, each).cast("int") for each in (as_of, since))
    return after - before


def _holds(days: int | None, shift: int, as_of: date) -> Column:
    """Whether the window as of a date holds event_date."""
    last = as_of - timedelta(days=shift)
    if days is None:
        return F.col("event_date") <= F.lit(last)
    return F.col("event_date").between(last - timedelta(days=days - 1), last)


def is_moved(spans: Iterable[tuple[int | None, int]], since: date, as_of: date) -> Column:
    """Whether event_date enters or leaves one of the windows between two dates, or is after `since` up to `as_of`.

    Args:
        spans: days and shift of each window.
        since: a date.
        as_of: a later date, or the same; then no date is moved.
    """
    ages = {0} | {age for days, shift in spans for age in (shift, shift + (days or 0))}
    gap = (as_of - since).days
    moved = sorted({as_of - timedelta(days=age + number) for age in ages for number in range(gap)})
    return F.col("event_date").isin(moved) if moved else F.lit(False)

"""The as_of dates of a backfill, which dates to keep, and which kept dates are stale."""

import calendar
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


class Interval(StrEnum):
    """The spacing of the as_of dates of a backfill."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def dates_between(first: date, last: date, every: Interval) -> list[date]:
    """Return every day, every Sunday or every month-end from `first` to `last`, both included.

    Example:
        >>> dates_between(date(2026, 1, 30), date(2026, 3, 1), Interval.MONTH)
        [datetime.date(2026, 1, 31), datetime.date(2026, 2, 28)]
    """
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    match every:
        case Interval.DAY:
            return days
        case Interval.WEEK:
            return [day for day in days if day.isoweekday() == 7]
        case Interval.MONTH:
            return [day for day in days if is_month_end(day)]


def dates_to_keep(dates: Iterable[date], keep_days: int, keep_month_ends: bool) -> set[date]:
    """Select the newest date, the dates less than `keep_days` days before it, and, with `keep_month_ends`, month-ends."""
    known = set(dates)
    if not known:
        return set()
    newest = max(known)
    recent = {day for day in known if (newest - day).days < keep_days}
    return recent | {day for day in known if keep_month_ends and is_month_end(day)}


def is_month_end(day: date) -> bool:
    """Return whether the date is the last day of its month."""
    return day.day == calendar.monthrange(day.year, day.month)[1]


@dataclass(frozen=True)
class EarlierDates:
    """The dates that a date is compared with; None where there is no such date."""

    before: date | None = None
    """The month-end before. Movement is counted since then."""
    year_before: date | None = None
    """The same date of the year before."""
    day_before: date | None = None
    """The last date before."""


def choose_earlier_dates(dates: Collection[date], as_of: date) -> EarlierDates:
    """Choose the dates to compare as_of with from the dates of which there are rows.

    Without a month-end, movement is counted since the last date before. Where the same date of the year before is not
    kept, the last date in the month before it takes its place.

    Example:
        >>> choose_earlier_dates([date(2026, 1, 31), date(2026, 2, 6)], date(2026, 2, 7)).before
        datetime.date(2026, 1, 31)
    """
    earlier = [day for day in dates if day < as_of]
    day_before = max(earlier, default=None)
    before = max((day for day in earlier if is_month_end(day)), default=day_before)
    last_year = _same_day_a_year_before(as_of)
    near = [day for day in earlier if timedelta() <= last_year - day <= timedelta(days=31)]
    year_before = max((day for day in near if day != before), default=None)
    return EarlierDates(before, year_before, day_before if day_before != before else None)


def _same_day_a_year_before(day: date) -> date:
    last = calendar.monthrange(day.year - 1, day.month)[1]
    return day.replace(year=day.year - 1, day=min(day.day, last))


def find_stale_dates(built_at: Mapping[date, int], first_days: Mapping[int, date]) -> list[date]:
    """Return the as_of dates, ascending, whose rows a later delivery would change.

    A delivery changes an as_of date if it arrived after the date was built and changed a business date up to it.

    Args:
        built_at: As_of date to the greatest delivery number that its rows contain.
        first_days: Delivery number to the earliest business date that the delivery changed.
    """
    return sorted(
        as_of
        for as_of, last_delivery in built_at.items()
        if any(number > last_delivery and first_day <= as_of for number, first_day in first_days.items())
    )


def latest_builds(runs: Iterable[tuple[Iterable[date], int]]) -> dict[date, int]:
    """Map each as_of date ever built to the greatest delivery number that one of its builds contains.

    Args:
        runs: The dates that each run built, with the greatest delivery number that it read.
    """
    built: dict[date, int] = {}
    for dates, delivery_no in runs:
        for day in dates:
            built[day] = max(delivery_no, built.get(day, 0))
    return built


def newest_built(runs: DataFrame) -> date | None:
    """Return the newest as_of date in the table `runs`, or None before the first completed run."""
    row = runs.select(F.max(F.array_max("as_of_dates")).alias("day")).first()
    return row["day"] if row else None

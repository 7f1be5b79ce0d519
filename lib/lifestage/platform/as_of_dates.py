"""Which as_of dates are built, kept and stale."""

import calendar
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


class Every(StrEnum):
    """The rhythm of a backfill."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def dates_between(first: date, last: date, every: Every) -> list[date]:
    """Days, Sundays or month-ends from first to last, both included."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if _is_due(day, every)]


def kept(dates: Iterable[date], keep_days: int, keep_month_ends: bool) -> set[date]:
    """The dates that stay: the newest, those of the last `keep_days` days up to it, and month-ends."""
    known = set(dates)
    if not known:
        return set()
    newest = max(known)
    recent = {day for day in known if (newest - day).days < keep_days}
    return recent | {day for day in known if keep_month_ends and is_month_end(day)}


def is_month_end(day: date) -> bool:
    """Whether it is the last day of its month."""
    return day.day == calendar.monthrange(day.year, day.month)[1]


def stale(built_at: Mapping[date, int], first_days: Mapping[int, date]) -> list[date]:
    """Dates whose rows a later delivery would change, ascending.

    Args:
        built_at: as_of to the greatest delivery that its rows contain.
        first_days: delivery to the earliest business date that it changed.
    """
    return sorted(
        day for day, seen in built_at.items() if any(_reaches(day, seen, *d) for d in first_days.items())
    )


def _reaches(as_of: date, seen: int, delivery_no: int, first_day: date) -> bool:
    return delivery_no > seen and first_day <= as_of


def _is_due(day: date, every: Every) -> bool:
    match every:
        case Every.DAY:
            return True
        case Every.WEEK:
            return day.isoweekday() == 7
        case Every.MONTH:
            return is_month_end(day)


def history(runs: Iterable[tuple[Iterable[date], int]]) -> dict[date, int]:
    """Each as_of ever built with the greatest delivery that its newest build contains."""
    built: dict[date, int] = {}
    for dates, delivery_no in runs:
        for day in dates:
            built[day] = max(delivery_no, built.get(day, 0))
    return built


def newest_built(runs: DataFrame) -> date | None:
    """The newest date that any completed run has built, from the table of runs; None before the first."""
    row = runs.select(F.max(F.array_max("as_of_dates")).alias("day")).first()
    return row["day"] if row else None

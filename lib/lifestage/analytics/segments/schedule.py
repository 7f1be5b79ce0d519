"""Training dates: which model an as_of uses follows from the configuration alone, never from past runs."""

from datetime import date, timedelta

from lifestage.analytics.segments.config import Period, TrainingCalendar

MONTHS = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}


def training_date(as_of: date, calendar: TrainingCalendar) -> date | None:
    """The latest training date up to and including as_of; None before the first.

    A period's training date is its last day. `from` is included; it bounds the periods, not the explicit dates.
    """
    found = [day for day in calendar.dates if day <= as_of]
    if calendar.every is not None:
        end = _last_period_end(as_of, MONTHS[calendar.every])
        if calendar.starts_on is None or calendar.starts_on <= end:
            found.append(end)
    return max(found, default=None)


def _last_period_end(day: date, months: int) -> date:
    """The last day of the latest period of so many months that has ended by the end of the day."""
    tomorrow = day + timedelta(days=1)
    first_month = (tomorrow.month - 1) // months * months + 1
    return date(tomorrow.year, first_month, 1) - timedelta(days=1)

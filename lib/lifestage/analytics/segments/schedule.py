"""The calendar of training dates. The configuration alone decides which model an as_of uses, never past runs."""

from datetime import date, timedelta

from lifestage.analytics.segments.config import Period, TrainingCalendar

MONTHS = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}


def training_date(as_of: date, calendar: TrainingCalendar) -> date | None:
    """Return the latest training date on or before as_of; None before the first one.

    The training date of a period is its last day. `from` is inclusive, and limits the periods but not the explicit dates.
    """
    days = [day for day in calendar.dates if day <= as_of]
    if calendar.every is not None:
        tomorrow = as_of + timedelta(days=1)
        months = MONTHS[calendar.every]
        first_month = (tomorrow.month - 1) // months * months + 1
        period_end = date(tomorrow.year, first_month, 1) - timedelta(days=1)
        if calendar.starts_on is None or calendar.starts_on <= period_end:
            days.append(period_end)
    return max(days, default=None)

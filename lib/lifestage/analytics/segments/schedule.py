"""The calendar of training dates. The configuration alone decides which model an as_of uses, never past runs."""

from collections.abc import Mapping
from datetime import date, timedelta

from lifestage.analytics.segments.config import Period, SegmentsConfig, TrainingCalendar
from lifestage.analytics.segments.model import SegmentModel

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


def model_in_force(
    stored: Mapping[date, SegmentModel], as_of: date, config: SegmentsConfig
) -> SegmentModel | None:
    """Return the model that as_of uses: of the latest training date on or before it that had enough users, if any.

    Args:
        stored: Models by training date.
        as_of: The date to assign.
        config: The calendar of training dates.
    """
    due = training_date(as_of, config.training)
    return latest_model(stored, due) if due else None


def latest_model(stored: Mapping[date, SegmentModel], up_to: date) -> SegmentModel | None:
    """Return the model of the latest training date up to a date, if any."""
    known = [day for day in stored if day <= up_to]
    return stored[max(known)] if known else None

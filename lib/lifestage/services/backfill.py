"""Rebuild past dates."""

from dataclasses import replace
from datetime import date, datetime

from lifestage.project.dates import read_stale_dates
from lifestage.project.opening import Project, Request
from lifestage.project.pipeline import BACKFILL_STEPS
from lifestage.services.run import make_request


def find_stale_dates(project: Project) -> tuple[date, ...]:
    """Every kept date that later deliveries affect."""
    return tuple(read_stale_dates(project))


def make_backfill_request(as_of_dates: tuple[date, ...], now: datetime, run_id: str | None = None) -> Request:
    """A request to rebuild dates from the stored events. It accepts changed definitions."""
    request = make_request(as_of_dates, now, BACKFILL_STEPS, run_id)
    return replace(request, accept_definitions=True)

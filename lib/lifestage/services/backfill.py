"""Rebuild past dates."""

from dataclasses import replace
from datetime import date, datetime

from lifestage.project.dates import find_changed_tables, read_kept_dates, read_stale_dates
from lifestage.project.opening import Project, Request
from lifestage.project.pipeline import BACKFILL_STEPS
from lifestage.services.run import make_request


def find_stale_dates(project: Project) -> tuple[date, ...]:
    """Every kept date that later deliveries affect; every kept date at all if definitions changed, such as features."""
    if find_changed_tables(project, BACKFILL_STEPS):
        return tuple(read_kept_dates(project))
    return tuple(read_stale_dates(project))


def make_backfill_request(as_of_dates: tuple[date, ...], now: datetime, run_id: str | None = None) -> Request:
    """A request to rebuild dates from the stored events. It accepts changed definitions."""
    request = make_request(as_of_dates, now, BACKFILL_STEPS, run_id)
    return replace(request, accept_definitions=True)

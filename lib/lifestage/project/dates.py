"""As_of dates of a project: which dates are built, stale or kept, and which ones other dates need."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from lifestage.ingestion.sources.ledger import LEDGER
from lifestage.platform import as_of_dates
from lifestage.platform.domain import Domain
from lifestage.platform.errors import ConfigError
from lifestage.project.opening import ReadableProject, Request
from lifestage.project.pipeline import DOMAINS, STEPS, reads_of

RUN_COLUMNS = ("run_id", "as_of_dates", "delivery_no")


def read_builds(project: ReadableProject, request: Request | None = None) -> dict[date, int]:
    """Each date that a completed run has built, with the greatest delivery that its newest build contains.

    Raises:
        ConfigError: if the request has the name of a completed run of other dates. It would replace the row of that run,
            and the dates that only this row lists would be removed from all tables.
    """
    rows = project.store.read_rows(project.tables["runs"], RUN_COLUMNS)
    if request is not None:
        _check_run_id(rows, request)
    return as_of_dates.latest_builds((row["as_of_dates"] or [], row["delivery_no"] or 0) for row in rows)


def _check_run_id(runs: Iterable[Mapping[str, Any]], request: Request) -> None:
    same = next((row for row in runs if row["run_id"] == request.run_id), None)
    if same and request.as_of_dates[-1] not in (dates := same["as_of_dates"] or []):
        named = ", ".join(map(str, dates))
        raise ConfigError(
            [f"--run-id: {request.run_id} has completed as of {named}: give each run a name of its own"]
        )


def find_changed_tables(project: ReadableProject, steps: Iterable[str]) -> list[str]:
    """The tables that the steps write and whose columns have another meaning in the configuration than when they were built."""
    return [
        domain.meaning.table
        for domain in DOMAINS
        if domain.meaning
        and domain.name in steps
        and project.store.last_metadata(project.tables[domain.meaning.table]).get("meaning")
        not in (None, domain.meaning.hash(project.config.domains[domain.name]))
    ]


def read_kept_dates(project: ReadableProject) -> list[date]:
    """The dates of completed runs whose rows are kept, ascending."""
    keep = project.config.shared.as_of.keep
    built = read_builds(project)
    return sorted(as_of_dates.dates_to_keep(built, keep.days, keep.month_ends) & built.keys())


def read_stale_dates(project: ReadableProject) -> list[date]:
    """The kept dates that later deliveries affect, ascending.

    They are computed from the ledger and the runs, so there is no stored mark to lose.
    """
    built, remaining = read_builds(project), read_kept_dates(project)
    ledger = project.store.read_rows(project.tables[LEDGER], ("delivery_no", "first_event_date"))
    first_days = {
        row["delivery_no"]: row["first_event_date"] for row in ledger if row["first_event_date"] is not None
    }
    return as_of_dates.find_stale_dates(
        {day: seen for day, seen in built.items() if day in remaining}, first_days
    )


def find_other_dates_to_keep(
    project: ReadableProject, dates: Sequence[date], built: Mapping[date, int]
) -> tuple[date, ...]:
    """The dates of completed runs that tables keep in addition to the dates of this run."""
    keep = project.config.shared.as_of.keep
    kept = as_of_dates.dates_to_keep(built.keys() | set(dates), keep.days, keep.month_ends)
    return tuple(sorted(kept - set(dates)))


def add_needed_dates(
    project: ReadableProject, request: Request, built: Mapping[date, int]
) -> tuple[date, ...]:
    """The requested dates, and the dates that a domain needs for them, such as training dates of a model."""
    dates = set(request.as_of_dates)
    begins = project.config.shared.business.history_starts_on
    for domain in DOMAINS:
        if domain.needs_date and _includes_inputs(domain, request):
            needed = {
                domain.needs_date(project.config.domains[domain.name], day) for day in request.as_of_dates
            }
            # A date that was built before has its model, or had too few users for one.
            dates |= {day for day in needed if day and day >= begins} - set(built)
    return tuple(sorted(dates))


def _includes_inputs(domain: Domain, request: Request) -> bool:
    """Whether the request runs a step together with the steps that write what it reads."""
    writers = {step.name for step in STEPS.values() if {*step.writes} & {*reads_of(domain)}}
    return {domain.name, *writers} <= {*request.steps}

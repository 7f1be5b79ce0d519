"""Run steps of the map, and describe the outcome."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pyspark.errors import PySparkException, QueryContextType
from pyspark.sql import functions as F

from lifestage.activation.report.config import ReportSettings
from lifestage.activation.report.step import is_newest
from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.sources.deliveries import resolve_path
from lifestage.ingestion.sources.freshness import (
    DELIVERY_COLUMNS,
    StaleSource,
    find_stale_sources,
    list_expected_sources,
)
from lifestage.ingestion.sources.ledger import KNOWN
from lifestage.ingestion.sources.stored_forms import FORM_COLUMNS, StoredForm, count_forms
from lifestage.ingestion.sources.tables import REFERENCE
from lifestage.platform.errors import ConfigError, NoDataError
from lifestage.project.opening import Project, ReadableProject, Request
from lifestage.project.pipeline import STEPS
from lifestage.project.registry import register
from lifestage.project.runner import count_touched_subjects, execute
from lifestage.project.validation import list_expressions
from lifestage.services.validate import check_expressions
from lifestage.users.identity.advice import Suspicions, read_suspicions

# The possible outcomes of a row.
OUTCOMES = ("accepted", "duplicate", "replaced", "superseded", "skipped", "suppressed", "rejected")

Progress = Callable[["FinishedStep"], None]
"""Called with each step that a run has finished."""


@dataclass(frozen=True)
class FinishedStep:
    """One step of a run."""

    step: str
    seconds: float
    rows: int


@dataclass(frozen=True)
class Cost:
    """The cost of a run, per subject whose days it computed."""

    n_touched_subjects: int
    milliseconds: float
    """Wall time of all steps, for each of these subjects."""
    bytes_written: float
    """Size of all files that the steps wrote, for each of these subjects."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run. A value is None if no step of the run produces it."""

    run_id: str
    as_of_dates: tuple[date, ...]
    steps: tuple[FinishedStep, ...]
    """In the order of the map."""
    deliveries: dict[str, int] | None
    """Counts of files (`n_files`, `n_known_files`) and of rows of events by outcome, and `n_reference_rejected`."""
    personal_data: tuple[StoredForm, ...] | None
    """Values of this run's files that look like personal data, in columns that are stored as delivered."""
    suspicions: Suspicions | None
    """Identities that look unusual."""
    snapshot_id: str | None
    stale_sources: tuple[StaleSource, ...]
    """Sources without a delivery for longer than they declare, at the run's now. Empty for a run that ingests nothing."""
    cost: Cost | None
    """What the run cost for each subject that it touched; None if it touched none."""
    report: str | None
    """Path of the report; None also if the existing report is of a later date and stays."""


def make_request(
    as_of_dates: tuple[date, ...], now: datetime, steps: tuple[str, ...], run_id: str | None = None
) -> Request:
    """A request for a run with the given run_id, or a new one. Reads the clock, for the lock."""
    return Request(
        run_id=run_id or f"{as_of_dates[-1]}-{uuid.uuid4().hex[:8]}",
        as_of_dates=as_of_dates,
        now=now,
        wall_clock=datetime.now(UTC),
        steps=steps,
    )


def business_date(project: ReadableProject, now: datetime) -> date:
    """The date of an instant in the business time zone."""
    return now.astimezone(ZoneInfo(project.config.shared.business.time_zone)).date()


def yesterday(project: ReadableProject, now: datetime) -> date:
    """The business date that a run builds by default."""
    return business_date(project, now) - timedelta(days=1)


def check_dates(project: ReadableProject, request: Request) -> None:
    """Raise a ConfigError if a date is after the business date of now."""
    newest, today = request.as_of_dates[-1], business_date(project, request.now)
    if newest > today:
        raise ConfigError(
            [f"--as-of: {newest} is after {today}, the business date of now: it has no data yet"]
        )


def run(project: Project, request: Request, progress: Progress = lambda _: None) -> Outcome:
    """Run the requested steps.

    Args:
        project: an open project, with keys.
        request: what to run.
        progress: called with each finished step.

    Raises:
        ConfigError: a date is after the business date of now, or an SQL expression of a configuration that no completed
            run has used fails on a value that its columns can hold.
        NoDataError: there is nothing to build from. The message says which data exists.
    """
    check_dates(project, request)
    rows: dict[str, int] = {}

    def note(name: str, seconds: float, n_rows: int) -> None:
        rows[name] = n_rows
        progress(FinishedStep(name, seconds, n_rows))

    runs = project.store.read(project.tables["runs"])
    if runs.where(F.col("config_hash") == project.config.hash).isEmpty():
        check_expressions(project.config, project.store.spark)
    try:
        execute(project, request, note)
    except NoDataError as error:
        raise NoDataError(f"{error}\n{describe_data(project)}") from error
    except PySparkException as error:
        for place in _find_expressions(project, error):
            error.add_note(place)
        raise
    return _describe_outcome(project, request, rows)


def _find_expressions(project: Project, error: PySparkException) -> list[str]:
    """The expressions of the configuration that an error of Spark is about: file, key and SQL."""
    # The fragment of another context is the name of a Python function, such as `cast`, which is part of many expressions.
    of_sql = [each for each in error.getQueryContext() if each.contextType() is QueryContextType.SQL]
    fragments = {context.fragment() for context in of_sql} - {""}
    declared = list_expressions(project.config, register(project.config))
    return [f"{each.place}: {each.sql}" for each in declared if any(text in each.sql for text in fragments)]


def describe_data(project: Project) -> str:
    """The dates of the stored events or, without events, the paths where ingestion looks for files."""
    events = project.store.read(project.tables["events"])
    days = events.agg(F.min("event_date"), F.max("event_date")).first()
    if days and days[0]:
        return f"events exist from {days[0]} to {days[1]}"
    ingest = project.config.of(IngestConfig)
    if not ingest.sources:
        return "there is no source: add one in sources/ beside the main file (`lifestage init DIR` writes examples)"
    globs = ", ".join(resolve_path(source.path, ingest.landing) for source in ingest.sources.values())
    return f"there are no events yet; lifestage looks for files at {globs}"


def _describe_outcome(project: Project, request: Request, rows: dict[str, int]) -> Outcome:
    seconds = request.seconds
    ingests = bool({"ingest", "reference"} & {*request.steps})
    deliveries, forms = _count_deliveries(project, request) if ingests else (None, None)
    return Outcome(
        run_id=request.run_id,
        as_of_dates=request.as_of_dates,
        steps=tuple(FinishedStep(name, seconds[name], rows[name]) for name in STEPS if name in seconds),
        deliveries=deliveries if "ingest" in request.steps else None,
        personal_data=forms,
        stale_sources=_find_stale_sources(project, request) if "ingest" in request.steps else (),
        suspicions=_read_suspicions(project) if "identity" in request.steps else None,
        snapshot_id=_find_snapshot(project, request) if "publish" in request.steps else None,
        cost=_measure_cost(project, request),
        report=_find_report(project, request) if "report" in request.steps else None,
    )


def _count_deliveries(project: Project, request: Request) -> tuple[dict[str, int], tuple[StoredForm, ...]]:
    """Count the files and rows of this run, and the values that look like personal data."""
    ledger = project.store.read(project.tables["ingest_ledger"])
    names = ("n_rows", *[f"n_{name}" for name in OUTCOMES])
    is_known, is_event = F.col("kind") == KNOWN, F.col("kind") == "events"
    of_events = [F.sum(F.when(is_event, F.col(name))) for name in names]
    of_references = F.sum(F.when(F.col("kind") == REFERENCE, F.col("n_rejected")))
    totals = dict(zip((*names, "n_reference_rejected"), (*of_events, of_references), strict=True))
    mine = ledger.where(F.col("ingested_at") == F.lit(request.now)).agg(
        F.count_if(~is_known).alias("n_files"),
        F.count_if(is_known).alias("n_known_files"),
        *[F.coalesce(total, F.lit(0)).alias(name) for name, total in totals.items()],
        F.collect_list(F.when(F.size("warnings") > 0, F.struct(*FORM_COLUMNS))).alias("warned"),
    )
    counts = mine.collect()[0].asDict(recursive=True)
    return counts, tuple(count_forms(counts.pop("warned")))


def _measure_cost(project: Project, request: Request) -> Cost | None:
    n = count_touched_subjects(project, request.run_id)
    if not n or "activity" not in request.steps:
        return None
    seconds, size = sum(request.seconds.values()), sum(request.bytes_written.values())
    return Cost(n, round(1000 * seconds / n, 1), round(size / n, 1))


def _find_stale_sources(project: Project, request: Request) -> tuple[StaleSource, ...]:
    ledger = project.store.read_rows(project.tables["ingest_ledger"], DELIVERY_COLUMNS)
    return find_stale_sources(list_expected_sources(project.config), ledger, request.now)


def _read_suspicions(project: Project) -> Suspicions:
    return read_suspicions(project.store.read(project.tables["identity_suspicions"]))


def _find_snapshot(project: Project, request: Request) -> str | None:
    mine = project.store.read(project.tables["runs"]).where(F.col("run_id") == request.run_id)
    return next(iter(mine.collect()[0]["snapshot_ids"]), None)


def _find_report(project: Project, request: Request) -> str | None:
    runs = project.store.read(project.tables["runs"])
    is_written = is_newest(runs, request.as_of_dates[-1])
    return str(Path(project.config.of(ReportSettings).path).resolve()) if is_written else None

"""Run steps of the map on a project: lock, settings of the root, steps, completion."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from lifestage import __version__
from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.ingestion.sources.ledger import LEDGER, VERSION_COLUMNS, roll_back_unfinished
from lifestage.platform import as_of_dates
from lifestage.platform.config.configuration import Config
from lifestage.platform.domain import REFERENCES, Domain, Meaning
from lifestage.platform.errors import ConfigError
from lifestage.platform.job import Job, Run, Secrets
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.runtime.session import BRIEF_SETTINGS, build_session
from lifestage.platform.security.pseudonyms import key_fingerprint
from lifestage.platform.storage import lock
from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.delta import DeltaStore, Location
from lifestage.platform.storage.run_store import RunStore
from lifestage.platform.storage.store import Store
from lifestage.project.loader import load_config
from lifestage.project.pipeline import COMPLETES, DOMAINS, STEPS, expand, groups, reads_of, sections_of
from lifestage.project.registry import register, tables_of
from lifestage.project.secrets import read_secrets

logger = logging.getLogger(__name__)

TIME_ZONE = "lifestage.time_zone"
KEY_FINGERPRINT = "lifestage.key_fingerprint"
Progress = Callable[[str, float, int], None]
"""Told of each step that is done: its name, seconds and rows written."""


@dataclass(frozen=True)
class Project:
    """A configuration with its tables and the session that reaches them."""

    config: Config
    store: Store
    tables: Mapping[str, Table]
    secrets: Secrets | None
    """The keys; None where the project was opened to be read."""

    @property
    def references(self) -> tuple[str, ...]:
        """Names of the reference tables."""
        return tuple(self.config.parts[REFERENCE_SOURCES])


@dataclass(frozen=True)
class Request:
    """What to run. `wall_clock` serves the lock alone; steps see `now`."""

    run_id: str
    as_of_dates: tuple[date, ...]
    now: datetime
    wall_clock: datetime
    steps: tuple[str, ...]
    is_job: bool = False
    accept_definitions: bool = False
    seconds: dict[str, float] = field(default_factory=dict)


def open_project(
    path: Path, spark: SparkSession | None = None, needs_keys: bool = True, is_brief: bool = False
) -> Project:
    """The project whose main file is `path`; every configuration problem is raised before Spark starts.

    Args:
        path: the main file.
        spark: a session that knows Delta; a new one by default.
        needs_keys: False to read tables only, which takes no key.
        is_brief: True for a new session that serves a few small queries.
    """
    config = load_config(path)
    secrets = read_secrets(config) if needs_keys else None
    storage = config.shared.storage
    location = Location(root=_absolute(storage.root), schema=storage.schema_name)
    settings = {**(BRIEF_SETTINGS if is_brief else {}), **config.shared.spark}
    session = spark or build_session(settings=settings)
    return Project(config, DeltaStore(session, location), tables_of(config), secrets)


def execute(project: Project, request: Request, progress: Progress) -> None:
    """Run the requested steps in the map's order; a run that includes publish is complete after it."""
    with hold_root(project, request) as project:
        built = _read_builds(project)
        _check_definitions(project, request, built)
        dates = _add_needed_dates(project, request, built)
        stay = _dates_that_stay(project, dates, built)
        run = Run(request.run_id, dates, request.now, project.config.hash, __version__, stay)
        commits: dict[str, int] = {}

        def run_step(step: Domain) -> None:
            job = job_for(project, step, run, commits)
            with _time_step(step.name, request.seconds):
                step.run(job, project.config.domains[step.name])
                n_rows = job.count_rows()
            progress(step.name, request.seconds[step.name], n_rows)

        for group in groups():
            chosen = [step for step in group if step.name in request.steps]
            run_in_parallel([partial(run_step, step) for step in chosen])
            if COMPLETES in [step.name for step in chosen]:
                complete_run(project, request, run, commits)


@contextmanager
def hold_root(project: Project, request: Request) -> Iterator[Project]:
    """Hold the storage root for a request; refused while a run is alive on it, or where it has another key or zone.

    The jobs of one run hold it together, until publish has completed the run; any other request gives it back when it
    ends. Who only reads holds nothing.

    Yields the project with a store that remembers what only the holder changes; use it only inside the block.
    """
    _check_root(project)
    if not any(domain.writes for domain in DOMAINS if domain.name in request.steps):
        yield project
        return
    me = lock.this_process(request.run_id, request.wall_clock, request.is_job)
    dead_after = timedelta(hours=project.config.shared.run.dead_after_hours)
    acquired = lock.acquire(project.store, project.tables["run_lock"], me, dead_after)
    is_over = not request.is_job
    try:
        project = replace(project, store=RunStore(project.store))
        _roll_back(project)
        yield project
        is_over = is_over or COMPLETES in request.steps
    finally:
        if is_over:
            acquired.release()


def job_for(project: Project, step: Domain, run: Run, commits: dict[str, int]) -> Job:
    """A step's view of the project."""
    return Job(
        step=step.name,
        run=run,
        store=project.store,
        tables=project.tables,
        reads=expand(reads_of(step), project.references),
        writes=expand(step.writes, project.references),
        secrets=project.secrets,
        results=next(each.results for each in register(project.config) if each.domain.name == step.name),
        config=project.config,
        sections=sections_of(),
        commits=commits,
    )


def stale_dates(project: Project) -> list[date]:
    """Kept as_of dates that later deliveries reach, from the ledger and the runs: never stored, so never lost."""
    keep = project.config.shared.as_of.keep
    built = _read_builds(project)
    remaining = as_of_dates.dates_to_keep(built, keep.days, keep.month_ends)
    ledger = project.store.read(project.tables[LEDGER]).where("first_event_date IS NOT NULL")
    first_days = {
        row["delivery_no"]: row["first_event_date"]
        for row in ledger.select("delivery_no", "first_event_date").collect()
    }
    return as_of_dates.find_stale_dates(
        {day: seen for day, seen in built.items() if day in remaining}, first_days
    )


def _absolute(root: str | None) -> str | None:
    return root if root is None or "://" in root else str(Path(root).resolve())


def _roll_back(project: Project) -> None:
    """What a run wrote that ended before its ledger rows did: no step may see it."""
    written = [project.tables[name] for name in tables_under_ledger(project)]
    ledger = project.store.read_rows(project.tables[LEDGER], VERSION_COLUMNS)
    roll_back_unfinished(project.store, written, ledger)


def tables_under_ledger(project: Project) -> list[str]:
    """The tables whose writes a row of the ledger completes: those of the steps that write the ledger, but for it."""
    writers = [domain for domain in DOMAINS if LEDGER in domain.writes]
    names = dict.fromkeys(
        name for domain in writers for name in domain.writes if name not in (LEDGER, REFERENCES)
    )
    return [*project.references, *names]


def _check_root(project: Project) -> None:
    """A storage root has one business time zone and one key for good: everything in it depends on them."""
    table = project.tables["runs"]
    mine = identity_of(project)
    project.store.create(table, properties=mine)
    theirs = project.store.properties(table)
    problems = [
        f"storage: this root was built with {name.partition('.')[2]} {theirs[name]}, the configuration gives {value}"
        for name, value in mine.items()
        if theirs.get(name) != value
    ]
    if problems:
        raise ConfigError(problems)


def identity_of(project: Project) -> dict[str, str]:
    """What a storage root records of the project that made it, as properties of `runs`; no key, no fingerprint."""
    zone = {TIME_ZONE: project.config.shared.business.time_zone}
    return (
        zone
        if project.secrets is None
        else {**zone, KEY_FINGERPRINT: key_fingerprint(project.secrets.pseudonym_key)}
    )


def _check_definitions(project: Project, request: Request, built: Mapping[date, int]) -> None:
    """A changed meaning stops a run: rows of one table must mean the same."""
    if request.accept_definitions:
        return
    day = request.as_of_dates[-1]
    changed = [
        domain.meaning.table
        for domain in DOMAINS
        if domain.meaning
        and domain.name in request.steps
        and _is_changed(project, domain.name, domain.meaning)
    ]
    if changed:
        raise ConfigError(
            [
                f"{table}: what its columns mean changed since it was built (features, event types, lookups or the time "
                f"zone); `lifestage backfill --from {day} --to {day} --every day` accepts that and rebuilds this date"
                f"{_earlier(built, day)}"
                for table in changed
            ]
        )


def _is_changed(project: Project, name: str, meaning: Meaning) -> bool:
    recorded = project.store.last_metadata(project.tables[meaning.table]).get("meaning")
    return recorded not in (None, meaning.hash(project.config.domains[name]))


def _earlier(built: Mapping[date, int], day: date) -> str:
    """How the month-ends before a date are rebuilt as well, where there are any."""
    before = min((each for each in built if each < day), default=None)
    return f", `--from {before} --to {day}` the month-ends before it" if before else ""


def _add_needed_dates(project: Project, request: Request, built: Mapping[date, int]) -> tuple[date, ...]:
    """The requested dates and those that a domain needs for them, such as the training dates of a model."""
    dates = set(request.as_of_dates)
    begins = project.config.shared.business.history_starts_on
    for domain in DOMAINS:
        if domain.needs_date and _is_built(domain, request):
            needed = {
                domain.needs_date(project.config.domains[domain.name], day) for day in request.as_of_dates
            }
            # A date that was built before had its chance: it has a model, or too few users for one.
            dates |= {day for day in needed if day and day >= begins} - set(built)
    return tuple(sorted(dates))


def _is_built(domain: Domain, request: Request) -> bool:
    """Whether the request runs the domain's step and those that write what it reads."""
    writers = {step.name for step in STEPS.values() if {*step.writes} & {*reads_of(domain)}}
    return {domain.name, *writers} <= {*request.steps}


def _read_builds(project: Project) -> dict[date, int]:
    rows = project.store.read_rows(project.tables["runs"], ("as_of_dates", "delivery_no"))
    return as_of_dates.latest_builds((row["as_of_dates"] or [], row["delivery_no"] or 0) for row in rows)


def _dates_that_stay(project: Project, dates: Sequence[date], built: Mapping[date, int]) -> tuple[date, ...]:
    """Dates of completed runs that tables keep beside those of this run."""
    keep = project.config.shared.as_of.keep
    kept = as_of_dates.dates_to_keep(built.keys() | set(dates), keep.days, keep.month_ends)
    return tuple(sorted(kept - set(dates)))


@contextmanager
def _time_step(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Note how long a step takes; what stops it says in which step."""
    started = time.monotonic()
    try:
        yield
    except Exception as error:
        error.add_note(f"step {name} was not completed")
        raise
    seconds[name] = round(time.monotonic() - started, 2)
    logger.info("step=%s seconds=%.1f", name, seconds[name])


def complete_run(project: Project, request: Request, run: Run, commits: Mapping[str, int]) -> None:
    """Write the run's row: from here on readers see its tables."""
    store, table = project.store, project.tables["runs"]
    # The same content is published once: the date's newest snapshot may be that of an earlier run.
    snapshots = store.read_rows(project.tables["snapshots"], ("snapshot_id", "as_of", "revision"))
    of_date = {each["revision"]: each["snapshot_id"] for each in snapshots if each["as_of"] == run.as_of}
    row: dict[str, Any] = {
        "run_id": run.run_id,
        "now": run.now,
        "as_of_dates": list(run.as_of_dates),
        "delivery_no": store.last_metadata(project.tables["user_features"]).get("delivery_no"),
        "table_versions": _versions(project, commits),
        "snapshot_ids": [of_date[max(of_date)]] if of_date else [],
        "config_hash": run.config_hash,
        "code_version": __version__,
        "seconds": dict(request.seconds),
    }
    store.write(table, [tuple(row[name] for name in table.names)], {"run_id": run.run_id})


def _versions(project: Project, commits: Mapping[str, int]) -> dict[str, int]:
    """The version of every table that exists; those this process wrote are known already."""
    others = [name for name in project.tables if name not in commits and name not in ("runs", "run_lock")]
    newest = project.store.newest([project.tables[name] for name in others])
    versions = {**{name: each.version for name, each in newest.items()}, **commits}
    return dict(sorted(versions.items()))


def step_names(names: Sequence[str]) -> tuple[str, ...]:
    """Known step names; ConfigError naming the others."""
    unknown = [name for name in names if name not in STEPS]
    if unknown:
        raise ConfigError([f"--steps: unknown {', '.join(unknown)}, expected some of {', '.join(STEPS)}"])
    return tuple(names)

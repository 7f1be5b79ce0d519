"""Check whether a storage root is sound, and suggest what to do if it is not.

The first answer, about the root, needs no Spark. The checks of the domains do, because some of them read every event.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from lifestage.ingestion.events.step import TABLES as INGEST_TABLES
from lifestage.ingestion.sources.freshness import DELIVERY_COLUMNS, find_stale_sources, list_expected_sources
from lifestage.ingestion.sources.ledger import LEDGER, VERSION_COLUMNS, read_committed_versions
from lifestage.platform.errors import ConfigError, LostCommitError
from lifestage.platform.findings import Examination, Finding, Level, list_first
from lifestage.platform.plurals import count_of
from lifestage.platform.storage import lock
from lifestage.project.dates import read_stale_dates
from lifestage.project.opening import Project, ReadableProject
from lifestage.project.pipeline import DOMAINS
from lifestage.project.root import check_completed_tables, root_properties
from lifestage.project.secrets import read_secrets
from lifestage.services.completed import CompletedRun, find_last_run

ProjectT = TypeVar("ProjectT", bound=ReadableProject)


@dataclass(frozen=True)
class _State:
    """A project, and the facts that its checks share."""

    project: ReadableProject
    now: datetime
    run: CompletedRun | None
    """The last completed run."""


def examine(project: Project, now: datetime, is_fast: bool = False) -> Iterator[Finding]:
    """Check the root, then each domain in the order of the map, and yield every finding.

    If the storage root is empty or cannot be reached, there are no further findings. Arguments are those of
    `examine_root` and `examine_domains`.
    """
    yield from examine_root(project, now)
    if is_in_use(project):
        yield from examine_domains(project, is_fast)


def examine_root(project: ReadableProject, now: datetime) -> Iterator[Finding]:
    """Check keys, settings, lock, versions and dates of the storage root, and yield every finding.

    Args:
        project: an open project, with or without Spark and keys.
        now: the current time, which decides whether a lock is alive.
    """
    project, problems = _read_keys(project)
    yield from problems
    root = _check_root(project)
    yield root
    if root.level is not Level.OK:
        return
    state = _State(project, now, find_last_run(project))
    checks: tuple[Callable[[_State], Iterable[Finding]], ...] = (
        _check_settings,
        _check_lock,
        _check_lost_commits,
        _check_unfinished_writes,
        _check_versions,
        _check_stale_dates,
        _check_freshness,
    )
    for check in checks:
        yield from check(state)


def is_in_use(project: ReadableProject) -> bool:
    """Whether the storage root can be reached and a run has begun in it."""
    return _check_root(project).level is Level.OK


def examine_domains(project: Project, is_fast: bool = False) -> Iterator[Finding]:
    """Check each domain in the order of the map, and yield every finding.

    Args:
        project: an open project, with or without keys, whose root is in use.
        is_fast: True to skip checks that read every event.
    """
    project, _ = _read_keys(project)
    run = find_last_run(project)
    as_of = run.as_of_dates[-1] if run and run.as_of_dates else None
    root = Examination(project.store, project.tables, as_of, is_fast, project.secrets)
    for domain in DOMAINS:
        if domain.diagnose:
            yield from domain.diagnose(root, project.config.domains[domain.name])


def _read_keys(project: ProjectT) -> tuple[ProjectT, list[Finding]]:
    """The project with its keys, or a finding for each key that is missing or malformed."""
    try:
        return replace(project, secrets=read_secrets(project.config)), []
    except ConfigError as error:
        next_step = "set the keys: without them you can read the project, but not run it"
        return project, [
            Finding(Level.PROBLEM, "keys", problem.removeprefix("secrets: "), next_step)
            for problem in error.problems
        ]


def _check_root(project: ReadableProject) -> Finding:
    where = project.store.describe()
    try:
        found = [name for name, table in project.tables.items() if project.store.exists(table)]
    except Exception as error:  # File systems and catalogs raise many kinds; the message says what is wrong
        reason = str(error).strip().splitlines()[0]
        detail = f"{where} cannot be reached: {reason}"
        return Finding(Level.PROBLEM, "storage root", detail, "check storage in the main file")
    if "runs" not in found:
        return Finding(Level.NOTE, "storage root", f"{where} is empty", "lifestage run")
    return Finding(
        Level.OK, "storage root", f"{where}: {len(found)} of {count_of(len(project.tables), 'table')}"
    )


def _check_settings(state: _State) -> Iterator[Finding]:
    """Compare the key and time zone of the root with those of the project."""
    project = state.project
    theirs = project.store.properties(project.tables["runs"])
    for name, value in root_properties(project).items():
        subject = name.partition(".")[2].replace("_", " ")
        if theirs.get(name) == value:
            yield Finding(Level.OK, subject, value)
            continue
        detail = f"the root was made with {theirs.get(name)}, the configuration gives {value}"
        next_step = "restore the old value, or choose a new storage root"
        yield Finding(Level.PROBLEM, subject, detail, next_step)


def _check_lock(state: _State) -> Iterator[Finding]:
    project = state.project
    holder = lock.read_holder(project.store, project.tables["run_lock"])
    me = lock.this_process("doctor", state.now, is_job=False)
    dead_after = timedelta(hours=project.config.shared.run.dead_after_hours)
    if holder is None:
        yield Finding(Level.OK, "lock", "free")
    elif lock.is_alive(holder, me, dead_after):
        since = f"{holder.taken_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        detail = f"run {holder.run_id} on {holder.host} has held it since {since}"
        next_step = f"wait for it, or end {lock.describe_process(holder)}"
        yield Finding(Level.NOTE, "lock", detail, next_step)
    else:
        detail = f"run {holder.run_id} ended before it was complete"
        yield Finding(Level.NOTE, "lock", detail, "lifestage run: it takes over and repeats what is missing")


def _check_lost_commits(state: _State) -> Iterator[Finding]:
    """Find tables that are older than the versions that completed runs recorded."""
    try:
        check_completed_tables(state.project)
    except LostCommitError as error:
        *lost, advice = str(error).splitlines()
        for problem in lost:
            yield Finding(Level.PROBLEM, "lost commits", problem, advice)
    else:
        yield Finding(Level.OK, "lost commits", "none")


def _check_unfinished_writes(state: _State) -> Iterator[Finding]:
    """Find tables with writes that no row of the ledger completes."""
    project = state.project
    committed = read_committed_versions(project.store.read_rows(project.tables[LEDGER], VERSION_COLUMNS))
    newer = []
    for name in (*project.references, *INGEST_TABLES):
        version = project.store.version(project.tables[name])
        if version is not None and version > committed.get(name, 0):
            newer.append(f"{name} (version {version}, completed {committed.get(name, 0)})")
    if newer:
        detail = f"by a run that was killed, or by another tool: {', '.join(newer)}"
        next_step = "lifestage run: it rolls back writes of a killed run, and keeps commits of OPTIMIZE"
        yield Finding(Level.NOTE, "unfinished writes", detail, next_step)
    else:
        yield Finding(Level.OK, "unfinished writes", "none")


def _check_versions(state: _State) -> Iterator[Finding]:
    """Compare the table versions that readers see with the newest ones."""
    subject, run = "last completed run", state.run
    if run is None:
        yield Finding(Level.NOTE, subject, "none: readers see no table", "lifestage run")
        return
    done = f"{run.run_id}, as of {', '.join(map(str, run.as_of_dates[-1:]))}"
    newest = _read_versions(state.project, run.table_versions)
    newer = sorted(name for name, version in newest.items() if version > run.table_versions[name])
    missing = sorted(run.table_versions.keys() - newest.keys())
    if missing:
        detail = f"{done}; some of its tables are missing: {', '.join(missing)}"
        next_step = "restore them in the configuration or the root, or start a new root"
        yield Finding(Level.PROBLEM, subject, detail, next_step)
    elif newer:
        changed = f"{len(newer)} of {len(newest)} tables are newer: {list_first(newer)}"
        yield Finding(
            Level.NOTE, subject, f"{done}; {changed}; readers see the versions of the run", "lifestage run"
        )
    else:
        yield Finding(Level.OK, subject, f"{done}; all {len(newest)} tables are unchanged since")


def _read_versions(project: ReadableProject, names: Iterable[str]) -> dict[str, int]:
    """The newest version of each table that exists."""
    known = {name: project.store.version(project.tables[name]) for name in names if name in project.tables}
    return {name: version for name, version in known.items() if version is not None}


def _check_stale_dates(state: _State) -> Iterator[Finding]:
    dates = [str(day) for day in read_stale_dates(state.project)]
    if dates:
        detail = f"later deliveries affect these kept dates: {list_first(dates)}"
        yield Finding(Level.NOTE, "stale dates", detail, "lifestage backfill --stale")
    else:
        yield Finding(Level.OK, "stale dates", "none")


def _check_freshness(state: _State) -> Iterator[Finding]:
    """Find sources without a delivery for longer than they declare."""
    project = state.project
    if not (expected := list_expected_sources(project.config)):
        return
    ledger = project.store.read_rows(project.tables[LEDGER], DELIVERY_COLUMNS)
    stale = find_stale_sources(expected, ledger, state.now)
    for source in stale:
        next_step = "ask for the delivery and run again, or change `freshness` of the source"
        yield Finding(Level.PROBLEM, "freshness", source.text, next_step)
    if not stale:
        yield Finding(Level.OK, "freshness", f"{', '.join(expected)}: delivered as expected")

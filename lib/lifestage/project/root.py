"""Hold a storage root for a run, and check that it belongs to the project."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from lifestage.ingestion.sources.ledger import (
    LEDGER,
    VERSION_COLUMNS,
    read_committed_versions,
    roll_back_unfinished,
)
from lifestage.platform.domain import REFERENCES
from lifestage.platform.errors import ConfigError, LostCommitError
from lifestage.platform.security.pseudonyms import key_fingerprint
from lifestage.platform.storage import lock
from lifestage.platform.storage.run_store import RunStore
from lifestage.project.opening import Project, ReadableProject, Request
from lifestage.project.pipeline import COMPLETES, DOMAINS

TIME_ZONE = "lifestage.time_zone"
KEY_FINGERPRINT = "lifestage.key_fingerprint"


@contextmanager
def hold_root(project: Project, request: Request) -> Iterator[Project]:
    """Hold the lock on the storage root while a request runs.

    The jobs of one run share the lock until publish completes the run. Any other request releases it when it ends. A
    request that only reads takes no lock.

    Yields:
        The project with a store that remembers what only the holder of the lock changes. Use it only inside the block.

    Raises:
        RunLockedError: while another run is alive on the root.
        ConfigError: if the root was made with another key or time zone.
        LostCommitError: if a table lacks a commit that a completed run recorded.
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
        check_completed_tables(project)
        _roll_back(project)
        yield project
        if COMPLETES in request.steps:
            is_over = True
            acquired = replace(acquired, runs_version=project.store.version(project.tables["runs"]))
    finally:
        if is_over:
            acquired.release()


def tables_under_ledger(project: Project) -> list[str]:
    """The tables whose writes are valid once the ledger records them: other tables of steps that write the ledger."""
    writers = [domain for domain in DOMAINS if LEDGER in domain.writes]
    names = dict.fromkeys(
        name for domain in writers for name in domain.writes if name not in (LEDGER, REFERENCES)
    )
    return [*project.references, *names]


def root_properties(project: ReadableProject) -> dict[str, str]:
    """What a storage root records about the project that made it, as properties of `runs`.

    Without keys there is no fingerprint.
    """
    zone = {TIME_ZONE: project.config.shared.business.time_zone}
    return (
        zone
        if project.secrets is None
        else {**zone, KEY_FINGERPRINT: key_fingerprint(project.secrets.pseudonym_key)}
    )


def _check_root(project: Project) -> None:
    """Reject a root with another time zone or key: all of its tables depend on them."""
    table = project.tables["runs"]
    mine = root_properties(project)
    project.store.create(table, properties=mine)
    theirs = project.store.properties(table)
    problems = [
        f"storage: this root was built with {name.partition('.')[2]} {theirs[name]}, the configuration gives {value}"
        for name, value in mine.items()
        if theirs.get(name) != value
    ]
    if problems:
        raise ConfigError(problems)


def check_completed_tables(project: ReadableProject) -> None:
    """Check that every table still holds the newest commit that the ledger or a completed run recorded.

    The lock records that of `runs`. A run on an older table would fill only the gap of its own dates and deliveries.

    Raises:
        LostCommitError: with every table that lacks such a commit, and what to do.
    """
    store = project.store
    completed = read_committed_versions(store.read_rows(project.tables[LEDGER], VERSION_COLUMNS))
    for run in store.read_rows(project.tables["runs"], ("table_versions",)):
        for name, version in (run["table_versions"] or {}).items():
            completed[name] = max(version, completed.get(name, 0))
    # Look up all tables at once; the store of a run remembers the result.
    holder = project.tables["run_lock"]
    newest_of = store.newest(
        [holder, *(project.tables[name] for name in completed if name in project.tables)]
    )
    commit = newest_of[holder.name].commit if holder.name in newest_of else None
    if isinstance(version := commit and commit.metadata.get(lock.RUNS_VERSION), int):
        completed["runs"] = version
    known = [(table, completed[name]) for name, table in project.tables.items() if name in completed]
    if lost := [problem for table, version in known if (problem := store.find_lost_commit(table, version))]:
        raise LostCommitError(
            "\n".join(lost)
            + f"\ncommits are missing in {store.describe()}: was the root copied during a run, or its disk "
            "damaged? Restore it from a copy that has them, or build a new root from the landing folder"
        )


def _roll_back(project: Project) -> None:
    """Roll back writes of an earlier run that the ledger does not record, so that no step sees them."""
    written = [project.tables[name] for name in tables_under_ledger(project)]
    ledger = project.store.read_rows(project.tables[LEDGER], VERSION_COLUMNS)
    roll_back_unfinished(project.store, written, ledger)

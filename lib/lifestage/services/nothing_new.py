"""Decide without Spark whether a run would find nothing to do.

Nothing is to be done if the last completed run built the date with the same settings and code, every table is as that
run left it, and no file has arrived since. In any doubt, the run takes place.
"""

from functools import partial
from html import escape
from importlib.resources import files
from pathlib import Path

from lifestage import __version__
from lifestage.activation.report.config import ReportSettings
from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.reference.config import ReferenceConfig
from lifestage.ingestion.sources.freshness import (
    DELIVERY_COLUMNS,
    StaleSource,
    find_stale_sources,
    list_expected_sources,
)
from lifestage.ingestion.sources.ledger import LEDGER
from lifestage.ingestion.sources.local_files import (
    FILE_COLUMNS,
    has_only_known_files,
    read_known_files,
)
from lifestage.platform.errors import LostCommitError
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.storage import lock
from lifestage.project.dates import add_needed_dates, find_changed_tables, read_builds, read_stale_dates
from lifestage.project.opening import ReadableProject, Request
from lifestage.project.pipeline import STEPS
from lifestage.project.root import check_completed_tables, root_properties
from lifestage.project.runner import SETTINGS_HASH, hash_settings
from lifestage.services.completed import UNVERSIONED, CompletedRun, find_last_run
from lifestage.services.run import OUTCOMES, Outcome


def find_finished_run(project: ReadableProject, request: Request) -> Outcome | None:
    """The outcome of a run that finds nothing to do; None if there may be something to do.

    Args:
        project: an open project, with keys.
        request: the run that was asked for, with all steps, whose dates are not after the business date of now.
    """
    run = find_last_run(project)
    if run is None or request.steps != tuple(STEPS) or request.as_of_dates != run.as_of_dates[-1:]:
        return None
    report = Path(project.config.of(ReportSettings).path).resolve()
    ledger = project.store.read_rows(
        project.tables[LEDGER], (*FILE_COLUMNS, *(name for name in DELIVERY_COLUMNS if name != "source"))
    )
    expected = list_expected_sources(project.config)
    stale = find_stale_sources(expected, ledger, request.now)
    if (
        not _is_report_of(report, run)
        or stale != find_stale_sources(expected, ledger, run.now)
        or not _is_same_project(project, run)
        or not _is_complete(project, request, run)
        or not _has_only_known_files(project, ledger)
    ):
        return None
    return _describe(project, run, stale, report)


def _is_report_of(report: Path, run: CompletedRun) -> bool:
    """Whether the run wrote the report, and no file of the package is newer.

    Code can change while the version number stays. A run that fails after publish is complete, but has no report.
    """
    code = (
        path.stat().st_mtime
        for path in Path(str(files("lifestage"))).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    )
    if not report.is_file() or report.stat().st_mtime <= max(code):
        return False
    return escape(run.run_id) in report.read_text(encoding="utf-8")


def _is_same_project(project: ReadableProject, run: CompletedRun) -> bool:
    """Whether code, settings, keys and time zone are those of the run."""
    runs = project.tables["runs"]
    metadata, theirs = project.store.last_metadata(runs), project.store.properties(runs)
    return (
        metadata.get("run_id") == run.run_id
        and metadata.get(SETTINGS_HASH) == hash_settings(project.config)
        and run.config_hash == project.config.hash
        and run.code_version == __version__
        and all(theirs.get(name) == value for name, value in root_properties(project).items())
    )


def _is_complete(project: ReadableProject, request: Request, run: CompletedRun) -> bool:
    """Whether no run is alive or was killed since, and all tables are as the run left them."""
    if lock.read_holder(project.store, project.tables["run_lock"]) is not None:
        return False
    names = [name for name in project.tables if name not in UNVERSIONED]
    found = run_in_parallel([partial(project.store.newest, [project.tables[name]]) for name in names])
    for name, newest in zip(names, found, strict=True):
        commit = newest[name].commit if name in newest else None
        # Version 0 is an empty table. Commits of other tools change no row.
        if commit and commit.version > run.table_versions.get(name, 0):
            return False
    try:
        check_completed_tables(project)
    except LostCommitError:
        return False
    built = read_builds(project)
    return (
        not find_changed_tables(project, request.steps)
        and not {*request.as_of_dates} & {*read_stale_dates(project)}
        and add_needed_dates(project, request, built) == request.as_of_dates
    )


def _has_only_known_files(project: ReadableProject, ledger: list[dict[str, object]]) -> bool:
    known = read_known_files(ledger)
    events, references = project.config.of(IngestConfig), project.config.of(ReferenceConfig)
    return all(
        has_only_known_files(name, layout, config.landing, known)
        for config in (events, references)
        for name, layout in config.sources.items()
    )


def _describe(
    project: ReadableProject, run: CompletedRun, stale: tuple[StaleSource, ...], report: Path
) -> Outcome:
    rows = project.store.read_rows(project.tables["runs"], ("run_id", "snapshot_ids"))
    snapshots = next(row["snapshot_ids"] for row in rows if row["run_id"] == run.run_id)
    names = ("files", "known_files", "rows", *OUTCOMES, "reference_rejected")
    return Outcome(
        run_id=run.run_id,
        as_of_dates=run.as_of_dates[-1:],
        steps=(),
        deliveries={f"n_{name}": 0 for name in names},
        personal_data=(),
        suspicions=None,
        snapshot_id=next(iter(snapshots), None),
        cost=None,
        stale_sources=stale,
        report=str(report),
    )

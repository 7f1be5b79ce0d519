"""What a reader sees: the tables of the last completed run, and published snapshots. Never a half one."""

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from functools import reduce
from pathlib import Path

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from lifestage.activation.audiences.membership import add_movement
from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.stages.history import add_history, add_schemes
from lifestage.platform.errors import NoDataError, suggest_name
from lifestage.platform.runtime.frames import local_rows
from lifestage.project import runner
from lifestage.users.identity.regrouping import journal_versions, regrouped, users_of_dates

LATEST = "latest"
CONF_VARIABLE = "LIFESTAGE_CONF"
DEFAULT_CONF = "conf/lifestage.yaml"
N_NEAREST = 3
# A row of it is a completed run or the running one: there is no half state to guard against.
UNVERSIONED = ("runs", "run_lock")
# Where nothing names two identifiers there are none of these, and everybody is a user of their own.
OF_EVIDENCE = ("link_days", "links", "identity_map", "identity_past", "identity_changes")


class StaleWarning(UserWarning):
    """The date was built before later deliveries that reach it."""


@dataclass(frozen=True)
class CompletedRun:
    """A run that published, and the table versions that it completed."""

    run_id: str
    now: datetime
    as_of_dates: tuple[date, ...]
    table_versions: Mapping[str, int]
    code_version: str = ""
    config_hash: str = ""


def read(
    table: str,
    as_of: date | str | None = None,
    conf: Path | str | None = None,
    spark: SparkSession | None = None,
) -> DataFrame:
    """A table as the last completed run left it.

    Args:
        table: name of a table, e.g. user_features.
        as_of: the rows of one date, "latest" for the newest one there is; every row by default.
        conf: the project's main file; LIFESTAGE_CONF or conf/lifestage.yaml by default. No key is needed.
        spark: a session that knows Delta; a new one by default.

    Raises:
        NoDataError: where no run has completed, or the table or date is not there; it names the nearest.

    A date that later deliveries reach is read with a StaleWarning.
    """
    return read_table(_opened(conf, spark), table, as_of)


def snapshot(
    id: str = LATEST,  # noqa: A002 - the name that readers use
    conf: Path | str | None = None,
    spark: SparkSession | None = None,
) -> DataFrame:
    """The users of a published snapshot, by its id such as 2026-11-21.r1 or its date; the latest by default.

    Raises:
        NoDataError: where there is no such snapshot; it names the nearest.
    """
    project = _opened(conf, spark)
    return users_of(project, manifest_of(project, id)["snapshot_id"])


def stage_history(
    as_of: date | str | None = None,
    conf: Path | str | None = None,
    spark: SparkSession | None = None,
) -> DataFrame:
    """user_stages with what several dates tell of it: `observed_since`, `previous_stage`, and each coarser scheme.

    Args and errors are those of `read`. Seen are the as_of dates that the table keeps (see analytics/stages/history.py).
    """
    return read_stage_history(_opened(conf, spark), as_of)


def read_stage_history(project: runner.Project, as_of: date | str | None = None) -> DataFrame:
    """`stage_history` on a project that is open."""
    rows = add_schemes(add_history(read_table(project, "user_stages")), project.config.of(StageLadder))
    return _of_date(project, "user_stages", rows, as_of)


def audience_moves(
    as_of: date | str | None = None,
    conf: Path | str | None = None,
    spark: SparkSession | None = None,
) -> DataFrame:
    """user_audiences with `movement`: entered or stayed, and a row for each user who left, against the date before.

    Who merged with another user or was split in between has that as movement: merged, split or renamed.

    Args and errors are those of `read`. Seen are the as_of dates that the tables keep; on the first everybody entered.
    """
    return read_audience_moves(_opened(conf, spark), as_of)


def read_audience_moves(project: runner.Project, as_of: date | str | None = None) -> DataFrame:
    """`audience_moves` on a project that is open."""
    # An audience without members leaves no row: the dates are those of all users.
    dates = read_table(project, "user_stages").select("as_of").distinct()
    rows = add_movement(read_table(project, "user_audiences"), dates, _regrouped(project))
    return _of_date(project, "user_audiences", rows, as_of)


def _regrouped(project: runner.Project) -> DataFrame:
    """Users who merged or split between dates that follow each other, of all that are kept (see regrouped)."""
    read = reader(project)
    kept = _dates(read("user_stages"))
    built = sorted(each for each in journal_versions(read("runs")).items() if each[0] in kept)
    return regrouped(read, built, users_of_dates(read("user_stages"), built))


def read_table(project: runner.Project, name: str, as_of: date | str | None = None) -> DataFrame:
    """`read` on a project that is open."""
    if name not in project.tables:
        raise NoDataError(f"there is no table {name}: {suggest_name(name, project.tables)}")
    rows = _rows(project, name, None if name in UNVERSIONED else last_run(project))
    return _of_date(project, name, rows, as_of)


def reader(project: runner.Project) -> Callable[[str], DataFrame]:
    """Reads tables by name, all as one run left them: the last completed one by now. Those it did not have are empty."""
    run = last_run(project)

    def rows_of(name: str) -> DataFrame:
        if run and name not in run.table_versions and name not in UNVERSIONED:
            return local_rows(project.store.spark, [], project.tables[name].schema)
        return _rows(project, name, run)

    return rows_of


def _of_date(project: runner.Project, name: str, rows: DataFrame, as_of: date | str | None) -> DataFrame:
    if as_of is None:
        return rows
    if "as_of" not in rows.columns:
        raise NoDataError(f"{name} has no as_of: leave it out, or read one of {', '.join(_dated(project))}")
    day = known_date(name, rows, as_of)
    _warn_if_stale(project, name, day)
    return rows.where(F.col("as_of") == F.lit(day))


def known_date(name: str, rows: DataFrame, as_of: date | str) -> date:
    """The date of a table that `as_of` names; NoDataError with the nearest where it has no rows."""
    day = _date(name, rows, as_of)
    if as_of != LATEST and rows.where(F.col("as_of") == F.lit(day)).isEmpty():
        raise NoDataError(f"{name} has no rows as of {day}: {_near_dates(day, _dates(rows))}")
    return day


def last_run(project: runner.Project) -> CompletedRun | None:
    """The run that completed last; None before the first."""
    runs = _runs(project)
    return reduce(_later, runs) if runs else None


def run_of(project: runner.Project, as_of: date) -> CompletedRun | None:
    """The run that built a date last; None where none did."""
    built = [run for run in _runs(project) if as_of in run.as_of_dates]
    return reduce(_later, built) if built else None


def manifests(project: runner.Project) -> list[Row]:
    """The manifest of each published snapshot, newest first; empty before the first completed run."""
    run = last_run(project)
    if run is None:
        return []
    rows = _rows(project, "snapshots", run)
    # One small row a snapshot.
    return rows.orderBy(F.col("as_of").desc(), F.col("revision").desc()).collect()


def manifest_of(project: runner.Project, snapshot_id: str) -> Row:
    """The manifest of one snapshot; of a date its newest revision, of `latest` that of the greatest date."""
    found = manifests(project)
    if not found:
        raise NoDataError("no snapshot has been published yet: start `lifestage run`")
    if snapshot_id == LATEST:
        return found[0]
    for manifest in found:
        if snapshot_id in (manifest["snapshot_id"], str(manifest["as_of"])):
            return manifest
    raise NoDataError(f"there is no snapshot {snapshot_id}: {_near_snapshots(snapshot_id, found)}")


def users_of(project: runner.Project, snapshot_id: str) -> DataFrame:
    """The rows of one snapshot."""
    return read_table(project, "snapshot_users").where(F.col("snapshot_id") == snapshot_id)


def _opened(conf: Path | str | None, spark: SparkSession | None) -> runner.Project:
    path = Path(conf or os.environ.get(CONF_VARIABLE, DEFAULT_CONF))
    return runner.open_project(path, spark, needs_keys=False)


def _rows(project: runner.Project, name: str, run: CompletedRun | None) -> DataFrame:
    """The table at the version that the run completed."""
    if name in UNVERSIONED:
        return project.store.read(project.tables[name])
    if run is None:
        raise NoDataError(f"{name}: no run has completed yet: start `lifestage run`")
    if name not in run.table_versions and name in OF_EVIDENCE:
        return local_rows(project.store.spark, [], project.tables[name].schema)
    if name not in run.table_versions:
        raise NoDataError(
            f"{name}: run {run.run_id}, the last completed one, did not have this table: start `lifestage run`"
        )
    return project.store.read(project.tables[name], run.table_versions[name])


def _runs(project: runner.Project) -> list[CompletedRun]:
    columns = ("run_id", "now", "as_of_dates", "table_versions", "code_version", "config_hash")
    # One small row a run.
    rows = project.store.read(project.tables["runs"]).select(*columns).collect()
    return [
        CompletedRun(
            row["run_id"],
            row["now"],
            tuple(row["as_of_dates"] or ()),
            row["table_versions"] or {},
            row["code_version"] or "",
            row["config_hash"] or "",
        )
        for row in rows
    ]


def _later(one: CompletedRun, other: CompletedRun) -> CompletedRun:
    """The run that completed after the other: versions only grow, while a run's `now` may be given by hand."""
    tables = one.table_versions.keys() & other.table_versions.keys()
    if any(one.table_versions[name] > other.table_versions[name] for name in tables):
        return one
    if any(one.table_versions[name] < other.table_versions[name] for name in tables):
        return other
    return max(one, other, key=lambda run: (run.now, run.run_id))


def _date(name: str, rows: DataFrame, as_of: date | str) -> date:
    if as_of == LATEST:
        newest = rows.agg(F.max("as_of").alias("as_of")).first()
        if newest is None or newest["as_of"] is None:
            raise NoDataError(f"{name} is empty")
        return newest["as_of"]  # type: ignore[no-any-return]
    if isinstance(as_of, str):
        try:
            return date.fromisoformat(as_of)
        except ValueError as error:
            raise NoDataError(f"as_of: {as_of} is not a date such as 2026-11-21, nor `{LATEST}`") from error
    return as_of.date() if isinstance(as_of, datetime) else as_of


def _dates(rows: DataFrame) -> list[date]:
    """Every date there is; kept ones only, so few."""
    return [row["as_of"] for row in rows.select("as_of").distinct().collect()]


def _dated(project: runner.Project) -> list[str]:
    return [name for name, table in project.tables.items() if "as_of" in table.names]


def _warn_if_stale(project: runner.Project, name: str, day: date) -> None:
    if day in runner.stale_dates(project):
        message = (
            f"{name} as of {day} is stale: deliveries since reach it; start `lifestage backfill --stale`"
        )
        warnings.warn(message, StaleWarning, stacklevel=5)


def _near_dates(day: date, known: Iterable[date]) -> str:
    nearest = sorted(sorted(known, key=lambda other: (abs(other - day), other))[:N_NEAREST])
    return f"the nearest dates are {', '.join(map(str, nearest))}" if nearest else "it is empty"


def _near_snapshots(wanted: str, found: Iterable[Row]) -> str:
    """The nearest by date where the id begins with one, else by spelling."""
    by_date = {row["snapshot_id"]: row["as_of"] for row in found}
    try:
        day = date.fromisoformat(wanted[:10])
        nearest = sorted(sorted(by_date, key=lambda name: (abs(by_date[name] - day), name))[:N_NEAREST])
    except ValueError:
        nearest = get_close_matches(wanted, by_date, n=N_NEAREST, cutoff=0) or list(by_date)[:N_NEAREST]
    return f"the nearest are {', '.join(nearest)}"

"""Read tables as the last completed run left them, even while another run writes."""

import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.errors import NoDataError, suggest_name
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.storage.filters import Is, Where
from lifestage.platform.storage.reading import empty_arrow
from lifestage.project.dates import read_stale_dates
from lifestage.project.opening import Project, ReadableProject

LATEST = "latest"
N_NEAREST = 3
# Readers see the newest version of these: each row is one run, so no version is incomplete.
UNVERSIONED = ("runs", "run_lock")
# These do not exist if no evidence joins identifiers. Each identifier is then a separate user.
EVIDENCE_TABLES = ("link_days", "links", "identity_map", "identity_past", "identity_changes")

Row = dict[str, Any]


class StaleWarning(UserWarning):
    """Later deliveries affect a date that is already built."""


@dataclass(frozen=True)
class CompletedRun:
    """A completed run, and the table versions that readers see."""

    run_id: str
    now: datetime
    as_of_dates: tuple[date, ...]
    table_versions: Mapping[str, int]
    code_version: str = ""
    config_hash: str = ""


def read_table(project: Project, name: str, as_of: date | str | None = None) -> DataFrame:
    """A table as the last completed run left it.

    Args:
        project: an open project.
        name: name of the table.
        as_of: the rows of one date, "latest" for the newest one; every row by default.

    Raises:
        NoDataError: no run has completed, or there is no such table or date. The message names the nearest.

    Warns:
        StaleWarning: later deliveries affect the date.
    """
    check_table(project, name)
    rows = read_at(project, name, None if name in UNVERSIONED else find_last_run(project))
    return keep_date(project, name, rows, as_of)


def read_arrow(
    project: ReadableProject, name: str, as_of: date | str | None = None, stacklevel: int = 2
) -> pa.Table:
    """`read_table` in Arrow, without Spark if the store of the project needs none."""
    check_table(project, name)
    run = None if name in UNVERSIONED else find_last_run(project)
    version = None if name in UNVERSIONED else find_version(name, run)
    where: Where = ()
    if as_of is not None:
        _check_has_dates(project, name)
        day = CompletedTables(project, run).find_date(name, as_of)
        warn_if_stale(project, name, day, stacklevel + 1)
        where = (Is("as_of", (day,)),)
    if version is None and name not in UNVERSIONED:
        return empty_arrow(project.tables[name])
    return project.store.read_arrow(project.tables[name], where, version)


def check_table(project: ReadableProject, name: str) -> None:
    """Raise a NoDataError if the project has no such table."""
    if name not in project.tables:
        raise NoDataError(f"there is no table {name}: {suggest_name(name, project.tables)}")


def read_at(project: Project, name: str, run: CompletedRun | None) -> DataFrame:
    """The table at the version that the run completed."""
    if name in UNVERSIONED:
        return project.store.read(project.tables[name])
    if (version := find_version(name, run)) is None:
        return local_rows(project.store.spark, [], project.tables[name].schema)
    return project.store.read(project.tables[name], version)


def find_version(name: str, run: CompletedRun | None) -> int | None:
    """The version of a table that the run completed; None for a table of evidence that the run did not have."""
    if run is None:
        raise NoDataError(f"{name}: no run has completed yet: start `lifestage run`")
    if name not in run.table_versions and name not in EVIDENCE_TABLES:
        raise NoDataError(
            f"{name}: run {run.run_id}, the last completed one, did not have this table: start `lifestage run`"
        )
    return run.table_versions.get(name)


@dataclass(frozen=True)
class CompletedTables:
    """Tables as one run left them, read as dictionaries. A table that the run did not have is empty.

    Needs no Spark if the store of the project needs none.
    """

    project: ReadableProject
    run: CompletedRun | None

    def find(self, name: str, where: Where = (), columns: Sequence[str] | None = None) -> list[Row]:
        """Rows of a table, as dictionaries."""
        if name in UNVERSIONED:
            version = None
        elif self.run is not None and name not in self.run.table_versions:
            return []
        else:
            version = find_version(name, self.run)
        return self.project.store.find_rows(self.project.tables[name], where, version, columns)

    def find_date(self, name: str, as_of: date | str) -> date:
        """The date that `as_of` names. If the table has no rows of it, a NoDataError names the nearest dates."""
        table = self.project.tables[name]
        version = find_version(name, self.run)
        known = [] if version is None else self.project.store.find_values(table, "as_of", version)
        return choose_date(name, known, as_of)


def choose_date(name: str, known: Collection[date], as_of: date | str) -> date:
    """The date that `as_of` names, of the dates of a table; a NoDataError names the nearest."""
    if as_of == LATEST:
        if not known:
            raise NoDataError(f"{name} is empty")
        return max(known)
    day = _parse(as_of)
    if day not in known:
        raise NoDataError(f"{name} has no rows as of {day}: {_suggest_dates(day, known)}")
    return day


def reader(project: Project) -> Callable[[str], DataFrame]:
    """A function that reads tables by name. Every read uses the run that was the last completed one at this call.

    A table that the run did not have is empty.
    """
    run = find_last_run(project)

    def read(name: str) -> DataFrame:
        if run and name not in run.table_versions and name not in UNVERSIONED:
            return local_rows(project.store.spark, [], project.tables[name].schema)
        return read_at(project, name, run)

    return read


def keep_date(project: Project, name: str, rows: DataFrame, as_of: date | str | None) -> DataFrame:
    """The rows of one date of a table; every row for None. Warns if later deliveries affect the date."""
    if as_of is None:
        return rows
    _check_has_dates(project, name)
    day = find_date(name, rows, as_of)
    warn_if_stale(project, name, day)
    return rows.where(F.col("as_of") == F.lit(day))


def _check_has_dates(project: ReadableProject, name: str) -> None:
    dated = [each for each, table in project.tables.items() if "as_of" in table.names]
    if name not in dated:
        raise NoDataError(f"{name} has no column as_of: omit as_of, or read one of {', '.join(dated)}")


def find_date(name: str, rows: DataFrame, as_of: date | str) -> date:
    """The date that `as_of` names. If the table has no rows of it, a NoDataError names the nearest dates."""
    if as_of == LATEST:
        return _find_newest(name, rows)
    day = _parse(as_of)
    if rows.where(F.col("as_of") == F.lit(day)).isEmpty():
        raise NoDataError(f"{name} has no rows as of {day}: {_suggest_dates(day, list_dates(rows))}")
    return day


def list_dates(rows: DataFrame) -> list[date]:
    """Every as_of date in the rows. Tables keep few dates."""
    return [row["as_of"] for row in rows.select("as_of").distinct().collect()]


def find_last_run(project: ReadableProject) -> CompletedRun | None:
    """The run that completed last; None before the first."""
    runs = _list_runs(project)
    return reduce(_pick_later_run, runs) if runs else None


def find_run_that_built(project: ReadableProject, as_of: date) -> CompletedRun | None:
    """The last run that built a date; None if there is none."""
    runs = [run for run in _list_runs(project) if as_of in run.as_of_dates]
    return reduce(_pick_later_run, runs) if runs else None


def _list_runs(project: ReadableProject) -> list[CompletedRun]:
    columns = ("run_id", "now", "as_of_dates", "table_versions", "code_version", "config_hash")
    # One small row per run.
    rows = project.store.read_rows(project.tables["runs"], columns)
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


def _pick_later_run(one: CompletedRun, other: CompletedRun) -> CompletedRun:
    """The run that completed later. Table versions tell, because they only grow; `now` of a run can be any instant."""
    tables = one.table_versions.keys() & other.table_versions.keys()
    if any(one.table_versions[name] > other.table_versions[name] for name in tables):
        return one
    if any(one.table_versions[name] < other.table_versions[name] for name in tables):
        return other
    return max(one, other, key=lambda run: (run.now, run.run_id))


def _find_newest(name: str, rows: DataFrame) -> date:
    newest = rows.agg(F.max("as_of").alias("as_of")).first()
    if newest is None or newest["as_of"] is None:
        raise NoDataError(f"{name} is empty")
    return newest["as_of"]  # type: ignore[no-any-return]


def _parse(as_of: date | str) -> date:
    if isinstance(as_of, str):
        try:
            return date.fromisoformat(as_of)
        except ValueError as error:
            raise NoDataError(f"as_of: {as_of} is not a date such as 2026-11-21, nor `{LATEST}`") from error
    return as_of.date() if isinstance(as_of, datetime) else as_of


def warn_if_stale(project: ReadableProject, name: str, day: date, stacklevel: int = 5) -> None:
    """Warn if later deliveries affect a date of a table."""
    if day in read_stale_dates(project):
        message = (
            f"{name} as of {day} is stale: a later delivery has rows of that date or earlier; start "
            "`lifestage backfill --stale`"
        )
        warnings.warn(message, StaleWarning, stacklevel=stacklevel)


def _suggest_dates(day: date, known: Iterable[date]) -> str:
    nearest = sorted(sorted(known, key=lambda other: (abs(other - day), other))[:N_NEAREST])
    return f"the nearest dates are {', '.join(map(str, nearest))}" if nearest else "it is empty"

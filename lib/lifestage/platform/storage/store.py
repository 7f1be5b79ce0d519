"""The interface to the storage of tables.

`DeltaStore` keeps tables in Delta, `MemoryStore` in this process. `RunStore` wraps either of them during a run.
"""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lifestage.platform.errors import ConcurrentWriteError
from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.log import (
    Commit,
    Entry,
    Newest,
    commit_text,
    is_behind,
    is_hidden,
    match_entries,
    newest_of,
)

logger = logging.getLogger(__name__)

Rows = DataFrame | Sequence[Sequence[Any]]
"""A frame, or the rows of a tiny table with their values in the order of the contract."""

Values = Mapping[str, Sequence[date | str]]
"""Values by column, such as the partitions that a write replaces."""


class Store(ABC):
    """Declared tables at one location. Subclasses implement the abstract methods; the others build on them."""

    @property
    @abstractmethod
    def spark(self) -> SparkSession:
        """The session that frames belong to."""

    @abstractmethod
    def describe(self) -> str:
        """Where the tables are, for messages."""

    @abstractmethod
    def exists(self, table: Table) -> bool:
        """Whether the table was created."""

    @abstractmethod
    def add(self, table: Table, properties: Mapping[str, str]) -> None:
        """Create the table, empty, unless it exists. See `create`."""

    @abstractmethod
    def properties(self, table: Table) -> dict[str, str]:
        """The properties of the table; empty if it doesn't exist."""

    @abstractmethod
    def load(self, table: Table, version: int | None) -> DataFrame:
        """The rows of a table that exists. See `read`."""

    @abstractmethod
    def load_rows(self, table: Table, columns: Sequence[str], version: int | None) -> list[dict[str, Any]]:
        """The rows of a table that exists, on the driver. See `read_rows`."""

    @abstractmethod
    def logs(self, asked: Sequence[tuple[Table, int | None]]) -> dict[str, list[Entry]]:
        """The newest commits of tables that exist, by table name, newest first.

        Args:
            asked: tables, each with the number of commits to read; None reads the whole log.
        """

    @abstractmethod
    def restore(self, table: Table, version: int) -> None:
        """Write the rows of an old version as a new version."""

    @abstractmethod
    def put(self, table: Table, rows: Rows, text: str, replace: Values, keep: Values) -> None:
        """Write rows into a table that exists. See `write`."""

    @abstractmethod
    def put_all(self, table: Table, rows: Rows, text: str) -> None:
        """Replace all rows and the schema of a table that exists. See `replace_all`."""

    @abstractmethod
    def put_once(self, table: Table, rows: Rows, text: str, number: int) -> None:
        """Append or replace rows, by the mode of the table. Do nothing if it has seen the number or a greater one.

        Raises:
            ConcurrentWriteError: another writer committed at the same time.
        """

    @abstractmethod
    def put_exchange(
        self, table: Table, removals: DataFrame, additions: DataFrame, text: str, prune: str
    ) -> None:
        """Remove and add rows of a table that exists. See `exchange`."""

    @abstractmethod
    def load_changes(self, table: Table, since: int, columns: Sequence[str], where: str) -> DataFrame | None:
        """The changes of a table that exists and has versions after `since`. See `read_changes`."""

    def read_changes(
        self, table: Table, since: int | None, columns: Sequence[str], where: str = "true"
    ) -> DataFrame | None:
        """Distinct values of some columns in the rows that were removed or added after a version, computed now.

        A row that was updated counts as removed and added. None if the table doesn't tell: it records no changes, or its
        old files are gone.

        Args:
            table: a contract with `has_changes`.
            since: the version; None for a table that did not exist, of which every row is a change.
            columns: names of columns.
            where: a condition on them; the other rows are left out.
        """
        newest = self.version(table)
        if newest is None or newest == since:
            return self.empty(table).select(*columns)
        logger.info("read changes table=%s since=%s", table.name, since)
        return self.load_changes(table, 0 if since is None else since, columns, where)

    def create(self, table: Table, properties: Mapping[str, str] | None = None) -> None:
        """Create the table, empty, unless it exists.

        Version 0 of every table is empty, so rolling back to it removes what the first write left. Columns can be NOT
        NULL only if the table is created first: if a write of rows creates it, all columns are nullable.
        """
        if not self.exists(table):
            self.add(table, properties or {})

    def read(self, table: Table, version: int | None = None) -> DataFrame:
        """The rows of a table at a version, by default the newest; an empty frame if the table doesn't exist.

        Raises:
            NoDataError: the version doesn't exist any more.
        """
        logger.info("read table=%s version=%s", table.name, "newest" if version is None else version)
        return self.load(table, version) if self.exists(table) else self.empty(table)

    def read_rows(
        self, table: Table, columns: Sequence[str] | None = None, version: int | None = None
    ) -> list[dict[str, Any]]:
        """The rows of a tiny table as dictionaries; none if the table doesn't exist. Times are in UTC."""
        logger.info("read table=%s version=%s", table.name, "newest" if version is None else version)
        return self.load_rows(table, columns or table.names, version) if self.exists(table) else []

    @abstractmethod
    def empty(self, table: Table) -> DataFrame:
        """A frame without rows, with the schema of the table."""

    def write(
        self,
        table: Table,
        rows: Rows,
        metadata: Mapping[str, object],
        replace: Values | None = None,
        keep: Values | None = None,
    ) -> Commit:
        """Write rows in the mode of the table; creates the table if needed.

        Args:
            table: the contract.
            rows: rows that conform to the contract; unique on its key in the modes merge and insert.
            metadata: recorded in the commit: the run, the step, and how far the step's input was consumed.
            replace: in the mode partitions, the values of partition columns whose rows are replaced.
            keep: instead of `replace`, the values whose rows are kept; all other rows are replaced.
        """
        with _Timer(table, metadata) as timer:
            self.create(table)
            self.put(table, rows, timer.text, replace or {}, keep or {})
        return Commit(self, table, timer.text)

    def replace_all(self, table: Table, rows: Rows, metadata: Mapping[str, object]) -> Commit:
        """Replace all rows, and take over the columns that the contract has now."""
        with _Timer(table, metadata) as timer:
            self.create(table)
            self.put_all(table, rows, timer.text)
        return Commit(self, table, timer.text)

    def swap(self, table: Table, rows: Rows, metadata: Mapping[str, object], seen: int | None) -> None:
        """Replace all rows. Do nothing if another writer has swapped them since version `seen`.

        The log shows which of the two happened. Commits of other tools after `seen` don't count.

        Raises:
            ConcurrentWriteError: another writer committed at the same time.
        """
        self.create(table)
        self.put_once(table, rows, commit_text(metadata), (seen or 0) + 1)

    def append_once(self, table: Table, rows: Rows, metadata: Mapping[str, object], number: int) -> Commit:
        """Append rows that are numbered, unless the table has seen `number` or a greater one.

        Args:
            table: the contract.
            rows: rows that conform to the contract.
            metadata: recorded in the commit; no other attempt may record the same.
            number: the greatest number of the rows.

        Raises:
            ConcurrentWriteError: another writer appended these numbers first, or at the same time; nothing was written.
        """
        with _Timer(table, metadata) as timer:
            self.create(table)
            self.put_once(table, rows, timer.text, number)
        newest = self.newest([table])[table.name].commit
        if newest is None or newest.text != timer.text:
            raise ConcurrentWriteError(f"{table.name}: another run has already written number {number}")
        return Commit(self, table, timer.text, newest)

    def exchange(
        self,
        table: Table,
        removals: DataFrame,
        additions: DataFrame,
        metadata: Mapping[str, object],
        prune: str,
    ) -> Commit:
        """Remove rows and add others in one commit.

        Args:
            table: the contract.
            removals: distinct values of some columns; every row that has them is removed.
            additions: rows that conform to the contract.
            metadata: recorded in the commit.
            prune: a predicate that all removed rows satisfy, on columns that have statistics and hold no identifiers.
        """
        with _Timer(table, metadata) as timer:
            self.create(table)
            self.put_exchange(table, removals, additions, timer.text, prune)
        return Commit(self, table, timer.text)

    def version(self, table: Table) -> int | None:
        """The newest version; None if the table doesn't exist."""
        log = self.logs([(table, 1)]) if self.exists(table) else {}
        return log[table.name][0].version if log else None

    def newest(self, tables: Iterable[Table]) -> dict[str, Newest]:
        """The newest version and commit of ours of each table that exists, by name. One lookup serves all tables."""
        there = [table for table in tables if self.exists(table)]
        logs = self.logs([(table, 1) for table in there])
        # The newest commit is nearly always ours. Read the whole log only if another tool wrote the newest commit.
        logs |= self.logs([(table, None) for table in there if is_behind(logs[table.name])])
        return {name: newest_of(entries) for name, entries in logs.items()}

    def last_metadata(self, table: Table) -> dict[str, object]:
        """The metadata of our newest commit; empty if there is none."""
        newest = self.newest([table]).get(table.name)
        return newest.commit.metadata if newest and newest.commit else {}

    def find_lost_commit(self, table: Table, version: int) -> str | None:
        """Describe why the table lacks the version that a run completed; None if the table has the version.

        The table can end earlier, or the commit of that version can be empty.
        """
        newest = self.newest([table]).get(table.name)
        if newest is None:
            return f"{table.name}: does not exist, but a run completed version {version}"
        if newest.version < version:
            return f"{table.name}: ends with version {newest.version}, but a run completed version {version}"
        is_blank = newest.is_blank
        if newest.version > version:
            is_blank = self.logs([(table, newest.version - version + 1)])[table.name][-1].is_blank
        return f"{table.name}: the commit of version {version} is empty" if is_blank else None

    def roll_back(self, table: Table, version: int) -> bool:
        """Restore the table to a version if we committed after it. Returns True if it did."""
        newest = self.newest([table]).get(table.name)
        if newest is None or newest.commit is None or newest.commit.version <= version:
            return False
        logger.warning("table=%s: rolling back unfinished writes after version %d", table.name, version)
        self.restore(table, version)
        return True

    def resolve(self, commits: Iterable[Commit]) -> None:
        """Look up the log entries of commits of this store, given in the order of writing, all at once."""
        open_: dict[str, list[Commit]] = {}
        for commit in commits:
            if commit.entry is None:
                open_.setdefault(commit.table.name, []).append(commit)
        # Read one commit more than our own, because another process may have committed after them.
        logs = self.logs([(each[0].table, len(each) + 1) for each in open_.values()])
        logs |= self.logs([(each[0].table, None) for each in open_.values() if is_hidden(each, logs)])
        for name, each in open_.items():
            match_entries(each, logs[name])


class _Timer:
    """Logs a write with its duration."""

    def __init__(self, table: Table, metadata: Mapping[str, object]) -> None:
        self.text, self._table, self._run = commit_text(metadata), table, metadata.get("run_id")

    def __enter__(self) -> "_Timer":
        self._started = time.monotonic()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            seconds = time.monotonic() - self._started
            logger.info("wrote table=%s seconds=%.1f run=%s", self._table.name, seconds, self._run)


def in_utc(value: Any) -> Any:
    """Convert a timestamp to UTC. Spark returns timestamps without a zone, in local time."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def literals(values: Sequence[date | str]) -> str:
    """SQL literals for dates and plain names, sorted; never for identifiers."""
    return ", ".join(
        sorted(f"DATE'{v}'" if isinstance(v, date) else "'" + v.replace("'", "''") + "'" for v in values)
    )

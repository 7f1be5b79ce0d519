"""The interface to the storage of tables.

`DeltaStore` keeps tables in Delta, `MemoryStore` in this process. `RunStore` wraps either of them during a run.
"""

import logging
import time
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from lifestage.platform.errors import ConcurrentWriteError
from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.filters import Where
from lifestage.platform.storage.frame_filters import keep_rows
from lifestage.platform.storage.log import Commit, commit_text, is_hidden, match_entries
from lifestage.platform.storage.reading import TableReader, log_read

logger = logging.getLogger(__name__)

Rows = DataFrame | Sequence[Sequence[Any]]
"""A frame, or the rows of a tiny table with their values in the order of the contract."""

Values = Mapping[str, Sequence[date | str]]
"""Values by column, such as the partitions that a write replaces."""


class Store(TableReader):
    """Declared tables at one location, in Spark. Subclasses implement the abstract methods; the others build on them."""

    @property
    @abstractmethod
    def spark(self) -> SparkSession:
        """The session that frames belong to."""

    @abstractmethod
    def add(self, table: Table, properties: Mapping[str, str]) -> None:
        """Create the table, empty, unless it exists. See `create`."""

    @abstractmethod
    def load(self, table: Table, version: int | None) -> DataFrame:
        """The rows of a table that exists. See `read`."""

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

        A row that was updated counts as removed and added. None if the table doesn't tell: it records no changes, its
        old files are gone, or it ends before that version.

        Args:
            table: a contract with `has_change_feed`.
            since: the version; None for a table that did not exist, of which every row is a change.
            columns: names of columns.
            where: a condition on them; the other rows are left out.
        """
        newest = self.version(table)
        if newest == since:
            return self.empty(table).select(*columns)
        if newest is None or newest < (since or 0):
            return None
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
        log_read(table, version)
        return self.load(table, version) if self.exists(table) else self.empty(table)

    def load_arrow(
        self, table: Table, where: Where, version: int | None, columns: Sequence[str] | None
    ) -> pa.Table:
        """Rows of a table that exists, with types that Spark chooses. See `read_arrow`."""
        rows = keep_rows(self.load(table, version), where, table.unindexed)
        return (rows.select(*columns) if columns else rows).toArrow()

    def load_values(self, table: Table, column: str, version: int | None) -> list[Any]:
        """The distinct values of a column of a table that exists. See `find_values`."""
        return [row[column] for row in self.load(table, version).select(column).distinct().collect()]

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


def literals(values: Sequence[date | str]) -> str:
    """SQL literals for dates and plain names, sorted; never for identifiers."""
    return ", ".join(
        sorted(f"DATE'{v}'" if isinstance(v, date) else "'" + v.replace("'", "''") + "'" for v in values)
    )

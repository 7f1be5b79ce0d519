"""The reading half of a store. Every store implements it. A service that takes a TableReader also works without Spark."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from lifestage.platform.errors import NoDataError
from lifestage.platform.runtime.frames import arrow_schema
from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.filters import Where
from lifestage.platform.storage.log import Entry, Newest, is_behind, newest_of

logger = logging.getLogger(__name__)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TableReader(ABC):
    """Declared tables at one location, for reading. Subclasses implement the abstract methods; the others build on them."""

    @abstractmethod
    def describe(self) -> str:
        """Where the tables are, for messages."""

    @abstractmethod
    def exists(self, table: Table) -> bool:
        """Whether the table was created."""

    @abstractmethod
    def properties(self, table: Table) -> dict[str, str]:
        """The properties of the table; empty if it doesn't exist."""

    @abstractmethod
    def load_arrow(
        self, table: Table, where: Where, version: int | None, columns: Sequence[str] | None
    ) -> pa.Table:
        """Rows of a table that exists, with types that the engine chooses. See `read_arrow`."""

    @abstractmethod
    def load_values(self, table: Table, column: str, version: int | None) -> list[Any]:
        """The distinct values of a column of a table that exists. See `find_values`."""

    @abstractmethod
    def load_rows(self, table: Table, columns: Sequence[str], version: int | None) -> list[dict[str, Any]]:
        """The rows of a table that exists, on the driver. See `read_rows`."""

    @abstractmethod
    def logs(self, asked: Sequence[tuple[Table, int | None]]) -> dict[str, list[Entry]]:
        """The newest commits of tables that exist, by table name, newest first.

        Args:
            asked: tables, each with the number of commits to read; None reads the whole log.
        """

    def read_rows(
        self, table: Table, columns: Sequence[str] | None = None, version: int | None = None
    ) -> list[dict[str, Any]]:
        """The rows of a tiny table as dictionaries; none if the table doesn't exist. Times are in UTC."""
        log_read(table, version)
        return self.load_rows(table, columns or table.names, version) if self.exists(table) else []

    def read_arrow(
        self,
        table: Table,
        where: Where = (),
        version: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """Rows of a table in Arrow; none if the table doesn't exist.

        Args:
            table: the contract.
            where: filters of the rows, which all have to be true; every row by default.
            version: the version, by default the newest.
            columns: by default all columns that the version has, which can be older than the contract.

        Raises:
            NoDataError: the version doesn't exist any more.
        """
        log_read(table, version)
        if not self.exists(table):
            return empty_arrow(table, columns)
        found = self.load_arrow(table, where, version, columns)
        return found.cast(_choose_schema(table, found))

    def find_rows(
        self,
        table: Table,
        where: Where = (),
        version: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> list[dict[str, Any]]:
        """`read_arrow` as dictionaries, for few rows. Times are in UTC, maps and structs are dictionaries."""
        log_read(table, version)
        return to_rows(self.load_arrow(table, where, version, columns)) if self.exists(table) else []

    def find_values(self, table: Table, column: str, version: int | None = None) -> list[Any]:
        """The distinct values of a column that has few of them; none if the table doesn't exist."""
        log_read(table, version)
        return self.load_values(table, column, version) if self.exists(table) else []

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


def to_rows(found: pa.Table) -> list[dict[str, Any]]:
    """Rows of Arrow as dictionaries. Times are in UTC, maps and structs are dictionaries."""
    columns = [_to_values(column) for column in found.columns]
    return [dict(zip(found.column_names, values, strict=True)) for values in zip(*columns, strict=True)]


def _to_values(column: pa.ChunkedArray) -> list[Any]:
    if column.type != pa.timestamp("us", "UTC"):
        values: list[Any] = column.to_pylist(maps_as_pydicts="strict")
        return values
    # Arrow imports pandas to convert a time in a zone.
    counts = [n for chunk in column.chunks for n in chunk.view(pa.int64()).to_pylist()]
    return [None if n is None else EPOCH + timedelta(microseconds=n) for n in counts]


def empty_arrow(table: Table, columns: Sequence[str] | None = None) -> pa.Table:
    """No rows, with the columns of the contract."""
    schema = arrow_schema(table.schema)
    return schema.empty_table().select([*(columns or table.names)])


def _choose_schema(table: Table, found: pa.Table) -> pa.Schema:
    """The types of the contract. A column that only an old version has keeps its type."""
    declared = arrow_schema(table.schema)
    return pa.schema(
        [
            (name, declared.field(name).type if name in table.names else found.schema.field(name).type)
            for name in found.column_names
        ]
    )


def log_read(table: Table, version: int | None) -> None:
    """Log that a table is read."""
    logger.info("read table=%s version=%s", table.name, "newest" if version is None else version)


def in_utc(value: Any) -> Any:
    """Convert a timestamp to UTC. Spark returns timestamps without a zone, in local time."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def unreadable(table: Table, version: int | None, error: Exception) -> NoDataError:
    """The error for a version whose files are gone, or that never existed."""
    what = "the newest version" if version is None else f"version {version}"
    return NoDataError(f"{table.name}: {what} cannot be read any more (removed by VACUUM?): {error}")

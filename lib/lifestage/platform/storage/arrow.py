"""Tables in Delta without Spark, for reading: delta-rs finds the files of a version, and DataFusion reads the rows.

Only Spark writes tables. This module reads what Spark wrote: deletion vectors, old versions, and changed schemas.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError

from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.filters import After, AnyOf, Filter, HashIs, Is, UpTo, Value, Where
from lifestage.platform.storage.log import Entry, read_log
from lifestage.platform.storage.reading import TableReader, to_rows, unreadable

# What delta-rs raises for a version that it can't load, and DataFusion for a file that it can't read.
UNREADABLE = (DeltaError, OSError, ValueError)


class ArrowStore(TableReader):
    """Tables below a local root. Holds no state: every call reads the log, so that it sees what others wrote."""

    def __init__(self, root: str) -> None:
        """Read the tables below one folder."""
        self._root = root

    def describe(self) -> str:
        """Where the tables are, for messages."""
        return self._root

    def exists(self, table: Table) -> bool:
        """Whether the table was created."""
        return DeltaTable.is_deltatable(self._path(table))

    def properties(self, table: Table) -> dict[str, str]:
        """The properties of the table; empty if it doesn't exist."""
        if not self.exists(table):
            return {}
        return dict(DeltaTable(self._path(table)).metadata().configuration)

    def load_arrow(
        self, table: Table, where: Where, version: int | None, columns: Sequence[str] | None
    ) -> pa.Table:
        """Rows of a table that exists, with types that DataFusion chooses. See `read_arrow`."""
        stored = self._open(table, version)
        names = map(_quote_name, columns or [field.name for field in stored.schema().fields])
        text = f"SELECT {', '.join(names)} FROM t"
        if where:
            text += f" WHERE {' AND '.join(map(_condition, where))}"
        return self._ask(table, version, stored, text)

    def load_values(self, table: Table, column: str, version: int | None) -> list[Any]:
        """The distinct values of a column of a table that exists. See `find_values`."""
        text = f"SELECT DISTINCT {_quote_name(column)} FROM t"
        found = self._ask(table, version, self._open(table, version), text)
        return [row[column] for row in to_rows(found)]

    def load_rows(self, table: Table, columns: Sequence[str], version: int | None) -> list[dict[str, Any]]:
        """The rows of a table that exists, on the driver. See `read_rows`."""
        return to_rows(self.load_arrow(table, (), version, columns))

    def logs(self, asked: Sequence[tuple[Table, int | None]]) -> dict[str, list[Entry]]:
        """The newest commits of tables that exist, by table name, newest first."""
        # Not by delta-rs: its history leaves out a commit without content, and gives its version to another one.
        return {table.name: read_log(Path(self._path(table)), limit) for table, limit in asked}

    def _open(self, table: Table, version: int | None) -> DeltaTable:
        try:
            return DeltaTable(self._path(table), version=version)
        except UNREADABLE as error:
            raise unreadable(table, version, error) from error

    def _ask(self, table: Table, version: int | None, stored: DeltaTable, text: str) -> pa.Table:
        """The answer of a query over the table, which it names t."""
        try:
            found = QueryBuilder().register("t", stored).execute(text)
            # Given anything else, pyarrow imports pandas to look for a frame.
            return pa.RecordBatchReader.from_stream(found).read_all()
        except UNREADABLE as error:
            raise unreadable(table, version, error) from error

    def _path(self, table: Table) -> str:
        return f"{self._root}/{table.name}"


def _condition(asked: Filter) -> str:
    """A filter in the SQL of DataFusion."""
    match asked:
        case AnyOf(filters):
            return f"({' OR '.join(map(_condition, filters))})"
        case UpTo(column, value):
            return f"{_quote_name(column)} <= {_literal(value)}"
        case After(column, value):
            return f"{_quote_name(column)} > {_literal(value)}"
        case HashIs(column, prefix, length, values):
            hashed = f"digest(concat({_literal(prefix)}, {_quote_name(column)}), 'sha256')"
            return _is_in(f"substr(encode({hashed}, 'hex'), 1, {length})", values)
        case Is(column, values):
            return _is_in(_quote_name(column), values)


def _is_in(expression: str, values: Sequence[Value]) -> str:
    return f"{expression} IN ({', '.join(map(_literal, values))})" if values else "false"


def _literal(value: Value) -> str:
    match value:
        case date():
            return f"DATE '{value}'"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return str(value)


def _quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

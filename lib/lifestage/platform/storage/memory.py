"""Tables in the memory of this process, for tests: the same contract as Delta without its cost.

Rows given as sequences are stored and read without Spark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.errors import ContractError, NoDataError
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.storage.contracts import Table, WriteMode, conform
from lifestage.platform.storage.log import Entry
from lifestage.platform.storage.reading import in_utc
from lifestage.platform.storage.store import Rows, Store, Values

Row = dict[str, Any]


@dataclass(frozen=True)
class _Version:
    """The table after one commit: all rows, and the commit's log entry."""

    rows: tuple[Row, ...]
    entry: Entry


@dataclass
class _Stored:
    """All versions of one table."""

    properties: dict[str, str]
    versions: list[_Version]
    last_number: int = 0


class MemoryStore(Store):
    """Tables as lists of rows by version. Copies of the store share the tables."""

    def __init__(self, spark: SparkSession | None = None, tables: dict[str, _Stored] | None = None) -> None:
        """Create an empty store. Without a session it accepts and returns only rows, not frames."""
        self._spark, self._tables = spark, {} if tables is None else tables

    @property
    def spark(self) -> SparkSession:
        """The session that frames belong to."""
        assert self._spark is not None, "this store was made without a session"
        return self._spark

    def describe(self) -> str:
        """Where the tables are, for messages."""
        return "memory"

    def exists(self, table: Table) -> bool:
        """Whether the table was created."""
        return table.name in self._tables

    def add(self, table: Table, properties: Mapping[str, str]) -> None:
        """Create the table, empty, unless it exists."""
        first = _Version((), Entry(0, "", 0))
        self._tables.setdefault(table.name, _Stored(dict(properties), [first]))

    def properties(self, table: Table) -> dict[str, str]:
        """The properties of the table; empty if it doesn't exist."""
        return dict(self._tables[table.name].properties) if self.exists(table) else {}

    def empty(self, table: Table) -> DataFrame:
        """A frame without rows, with the schema of the table."""
        return local_rows(self.spark, [], table.schema)

    def load(self, table: Table, version: int | None) -> DataFrame:
        """The rows of a table that exists."""
        stored = self._version(table, version)
        rows = [tuple(row.get(name) for name in table.names) for row in stored.rows]
        return local_rows(self.spark, rows, table.schema)

    def load_rows(self, table: Table, columns: Sequence[str], version: int | None) -> list[Row]:
        """The rows of a table that exists."""
        return [{name: row[name] for name in columns} for row in self._version(table, version).rows]

    def load_changes(self, table: Table, since: int, columns: Sequence[str], where: str) -> DataFrame | None:
        """The changes of a table that exists and has versions after `since`."""
        before, after = (
            {repr(row): row for row in self._version(table, each).rows} for each in (since, None)
        )
        changed = [(after | before)[text] for text in before.keys() ^ after.keys()]
        values = {tuple(row[name] for name in columns) for row in changed}
        schema = T.StructType([table.schema[name] for name in columns])
        return local_rows(self.spark, list(values), schema).where(where)

    def logs(self, asked: Sequence[tuple[Table, int | None]]) -> dict[str, list[Entry]]:
        """The newest commits of tables that exist, by table name, newest first."""
        return {
            table.name: [version.entry for version in reversed(self._tables[table.name].versions)][:limit]
            for table, limit in asked
        }

    def restore(self, table: Table, version: int) -> None:
        """Write the rows of an old version as a new version."""
        old = self._version(table, version)
        self._commit(table, old.rows, "", 0)

    def put(self, table: Table, rows: Rows, text: str, replace: Values, keep: Values) -> None:
        """Write rows in the mode of the table."""
        self._apply(table, rows, text, replace, keep)

    def _apply(self, table: Table, rows: Rows, text: str, replace: Values, keep: Values) -> None:
        old, new = self._version(table, None).rows, self._rows(table, rows)
        if table.mode is WriteMode.APPEND and not new:
            return
        match table.mode:
            case WriteMode.APPEND:
                after = [*old, *new]
            case WriteMode.OVERWRITE:
                after = new
            case WriteMode.PARTITIONS:
                if any(not _is_replaced(row, replace, keep) for row in new):
                    raise ValueError(f"{table.name}: a row is outside of the replaced partitions")
                after = [*[row for row in old if not _is_replaced(row, replace, keep)], *new]
            case WriteMode.INSERT:
                known = {_key(table, row) for row in old}
                new = [row for row in new if _key(table, row) not in known]
                after = [*old, *new]
            case WriteMode.MERGE:
                changed = {_key(table, row) for row in new}
                after = [*[row for row in old if _key(table, row) not in changed], *new]
        self._commit(table, after, text, len(new))

    def put_all(self, table: Table, rows: Rows, text: str) -> None:
        """Replace all rows and the schema."""
        new = self._rows(table, rows)
        self._commit(table, new, text, len(new))

    def put_once(self, table: Table, rows: Rows, text: str, number: int) -> None:
        """Append or replace rows, by the mode of the table, unless it has seen the number or a greater one."""
        stored = self._tables[table.name]
        if number > stored.last_number:
            self._apply(table, rows, text, {}, {})
            stored.last_number = number

    def put_exchange(
        self, table: Table, removals: DataFrame, additions: DataFrame, text: str, prune: str
    ) -> None:
        """Remove and add rows in one commit."""
        old, new = self.load(table, None), self._rows(table, additions)
        is_searched = F.coalesce(F.expr(prune), F.lit(False))
        searched = old.where(is_searched).alias("t")
        same = [F.expr(f"t.{name} <=> s.{name}") for name in removals.columns]
        rest = searched.join(removals.alias("s"), on=same, how="left_anti")
        after = self._rows(table, old.where(~is_searched).unionByName(rest))
        if new or len(after) < len(self._version(table, None).rows):
            self._commit(table, [*after, *new], text, len(new))

    def _version(self, table: Table, version: int | None) -> _Version:
        versions = self._tables[table.name].versions
        if version is not None and not 0 <= version < len(versions):
            raise NoDataError(f"{table.name}: version {version} cannot be read any more")
        return versions[-1 if version is None else version]

    def _rows(self, table: Table, rows: Rows) -> list[Row]:
        if isinstance(rows, DataFrame):
            collected = [row.asDict(recursive=True) for row in conform(rows, table).collect()]
            found = [{name: in_utc(value) for name, value in row.items()} for row in collected]
        else:
            found = [dict(zip(table.names, row, strict=True)) for row in rows]
        for column in table.columns:
            if column.required and any(row[column.name] is None for row in found):
                raise ContractError(f"{table.name}: column {column.name} is required and holds NULL")
        return found

    def _commit(self, table: Table, rows: Sequence[Row], text: str, n: int) -> None:
        versions = self._tables[table.name].versions
        versions.append(_Version(tuple(rows), Entry(versions[-1].entry.version + 1, text, n)))


def _key(table: Table, row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in table.key)


def _is_replaced(row: Row, replace: Values, keep: Values) -> bool:
    return all(row[name] in values for name, values in replace.items()) and all(
        row[name] is not None and row[name] not in values for name, values in keep.items()
    )

"""A store for one run, which remembers what only the run can change."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.log import Entry, Newest, newest_of
from lifestage.platform.storage.store import Rows, Store, Values


class RunStore(Store):
    """A wrapper around a store. It remembers which tables exist, and their newest commits.

    Use it only while holding the lock on the storage root, so that nobody else writes rows, and discard it with the lock.
    Other tools may still commit (OPTIMIZE, VACUUM). A remembered version then isn't the newest one, but has the same
    rows. When a table is written, the store forgets the table, and the next lookup reads the log again.
    """

    def __init__(self, inner: Store) -> None:
        """Wrap a store that remembers nothing."""
        self._inner = inner
        self._existing: set[str] = set()
        self._newest: dict[str, Newest] = {}
        self._writes: Counter[str] = Counter()

    @property
    def spark(self) -> SparkSession:
        """The session that frames belong to."""
        return self._inner.spark

    def describe(self) -> str:
        """Where the tables are, for messages."""
        return self._inner.describe()

    def exists(self, table: Table) -> bool:
        """Whether the table was created. Remembers only tables that exist: others may create them, nobody drops them."""
        if table.name not in self._existing and self._inner.exists(table):
            self._existing.add(table.name)
        return table.name in self._existing

    def add(self, table: Table, properties: Mapping[str, str]) -> None:
        """Create the table, empty, unless it exists."""
        self._inner.add(table, properties)

    def properties(self, table: Table) -> dict[str, str]:
        """The properties of the table; empty if it doesn't exist."""
        return self._inner.properties(table)

    def empty(self, table: Table) -> DataFrame:
        """A frame without rows, with the schema of the table."""
        return self._inner.empty(table)

    def load(self, table: Table, version: int | None) -> DataFrame:
        """The rows of a table that exists."""
        return self._inner.load(table, version)

    def load_changes(self, table: Table, since: int, columns: Sequence[str], where: str) -> DataFrame | None:
        """The changes of a table that exists and has versions after `since`."""
        return self._inner.load_changes(table, since, columns, where)

    def load_rows(self, table: Table, columns: Sequence[str], version: int | None) -> list[dict[str, Any]]:
        """The rows of a table that exists, on the driver. See `read_rows`."""
        return self._inner.load_rows(table, columns, version)

    def version(self, table: Table) -> int | None:
        """The newest version; None if the table doesn't exist."""
        newest = self.newest([table]).get(table.name)
        return newest.version if newest else None

    def newest(self, tables: Iterable[Table]) -> dict[str, Newest]:
        """The newest version and commit of ours of each table that exists, by name. Looks up only unknown tables."""
        asked = [*tables]
        known = {table.name: self._newest[table.name] for table in asked if table.name in self._newest}
        return {**known, **super().newest([table for table in asked if table.name not in known])}

    def logs(self, asked: Sequence[tuple[Table, int | None]]) -> dict[str, list[Entry]]:
        """The newest commits of tables that exist, by table name, newest first. Remembers them."""
        before = self._writes.copy()
        found = self._inner.logs(asked)
        for table, limit in asked:
            newest = newest_of(found[table.name])
            is_whole = newest.commit is not None or limit is None or newest.version == 0
            # A table that another thread wrote meanwhile may have a newer commit than the log that was read.
            if is_whole and self._writes[table.name] == before[table.name]:
                self._newest[table.name] = newest
        return found

    def restore(self, table: Table, version: int) -> None:
        """Write the rows of an old version as a new version."""
        with self._forget_around(table):
            self._inner.restore(table, version)

    def put(self, table: Table, rows: Rows, text: str, replace: Values, keep: Values) -> None:
        """Write rows in the mode of the table."""
        with self._forget_around(table):
            self._inner.put(table, rows, text, replace, keep)

    def put_all(self, table: Table, rows: Rows, text: str) -> None:
        """Replace all rows and the schema."""
        with self._forget_around(table):
            self._inner.put_all(table, rows, text)

    def put_once(self, table: Table, rows: Rows, text: str, number: int) -> None:
        """Append or replace rows, by the mode of the table, unless it has seen the number or a greater one."""
        with self._forget_around(table):
            self._inner.put_once(table, rows, text, number)

    def put_exchange(
        self, table: Table, removals: DataFrame, additions: DataFrame, text: str, prune: str
    ) -> None:
        """Remove and add rows in one commit."""
        with self._forget_around(table):
            self._inner.put_exchange(table, removals, additions, text, prune)

    @contextmanager
    def _forget_around(self, table: Table) -> Iterator[None]:
        """Forget the table before and after a write. A write that fails may still have committed."""
        self._forget(table)
        try:
            yield
        finally:
            self._forget(table)

    def _forget(self, table: Table) -> None:
        self._writes[table.name] += 1
        self._newest.pop(table.name, None)

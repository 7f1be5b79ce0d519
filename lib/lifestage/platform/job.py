"""The input of a step: the tables that it declares and the dates that it builds. It has no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lifestage.platform.config.configuration import Config
from lifestage.platform.errors import ConcurrentWriteError
from lifestage.platform.reporting.section import Section
from lifestage.platform.result import DomainResult
from lifestage.platform.run import Run, Secrets
from lifestage.platform.storage.contracts import Kind, Table
from lifestage.platform.storage.log import Commit
from lifestage.platform.storage.store import Rows, Store


@dataclass(frozen=True)
class Job:
    """What a step can access: only the tables that it declares in the map."""

    step: str
    run: Run
    store: Store
    tables: Mapping[str, Table]
    reads: frozenset[str]
    writes: frozenset[str]
    secrets: Secrets | None = None
    results: tuple[DomainResult, ...] = ()
    """The results of earlier domains of the map."""
    config: Config | None = None
    """The whole configuration, for a step that serves all domains."""
    sections: tuple[Section[Any], ...] = ()
    """The sections of the report that domains declare."""
    commits: dict[str, int] = field(default_factory=dict)
    """Table to the version that a completed step of the run wrote."""
    written: list[Commit] = field(default_factory=list)
    """The commits of this step, in order."""

    @property
    def spark(self) -> SparkSession:
        """The session that reads the tables."""
        return self.store.spark

    @property
    def keys(self) -> Secrets:
        """The keys, for a step that hashes identifiers, or encrypts or decrypts raw values."""
        assert self.secrets is not None, "the project was opened without keys"
        return self.secrets

    def read(self, name: str) -> DataFrame:
        """The newest rows of a declared table; an empty frame if nothing has been written yet."""
        return self.store.read(self._require(name, self.reads | self.writes))

    def read_rows(self, name: str, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """The newest rows of a tiny declared table, on the driver."""
        return self.store.read_rows(self._require(name, self.reads | self.writes), columns)

    def read_changes(
        self, name: str, since: int | None, columns: Sequence[str], where: str = "true"
    ) -> DataFrame | None:
        """Values of some columns in rows that changed after a version of a declared table (see Store.read_changes)."""
        return self.store.read_changes(self._require(name, self.reads | self.writes), since, columns, where)

    def write(
        self,
        name: str,
        rows: Rows,
        replace: Mapping[str, Sequence[date | str]] | None = None,
        **progress: object,
    ) -> Commit:
        """Write rows in the mode of the table. The commit records the run, the step and `progress`."""
        table = self._require(name, self.writes)
        return self._record(self.store.write(table, rows, self.metadata(**progress), replace))

    def append_once(self, name: str, rows: Rows, number: int) -> Commit:
        """Append rows with numbers up to `number`, unless the table has them (see Store.append_once)."""
        table = self._require(name, self.writes)
        return self._record(self.store.append_once(table, rows, self.metadata(), number))

    def find_written_versions(self, names: Sequence[str]) -> dict[str, int]:
        """The versions that this step wrote. For a table that it did not write, the newest version, or 0 if there is none.

        Raises:
            ConcurrentWriteError: another process wrote one of these tables after this step did.
        """
        self.store.resolve(self.written)
        own = {commit.table.name: commit for commit in self.written}
        newest = self.store.newest([self.table(name) for name in names])
        for name, commit in own.items():
            last = newest[name].commit if name in newest else None
            if last and last.version > commit.version:
                raise ConcurrentWriteError(
                    f"{name}: another process wrote version {last.version} while run {self.run.run_id} was running: end "
                    "one of the two, and run again"
                )
        return {
            name: own[name].version if name in own else newest[name].version if name in newest else 0
            for name in names
        }

    def exchange(
        self, name: str, removals: DataFrame, additions: DataFrame, prune: str, **progress: object
    ) -> Commit:
        """Remove rows and add others in one commit (see Store.exchange)."""
        table = self._require(name, self.writes)
        return self._record(self.store.exchange(table, removals, additions, self.metadata(**progress), prune))

    def replace_all(self, name: str, frame: DataFrame, **progress: object) -> Commit:
        """Replace all rows of the table."""
        table = self._require(name, self.writes)
        return self._record(self.store.replace_all(table, frame, self.metadata(**progress)))

    def write_as_of(self, name: str, rows: Rows, **progress: object) -> Commit:
        """Write the rows of every date that this run builds, and remove all dates that the table does not keep.

        This removes dates beyond retention, and dates of runs that never completed.
        """
        table = self._require(name, self.writes)
        keep = {"as_of": self.run.dates_to_keep}
        return self._record(self.store.write(table, rows, self.metadata(**progress), keep=keep))

    def progress(self, name: str) -> dict[str, object]:
        """The metadata of our newest commit of the table."""
        return self.store.last_metadata(self._require(name, self.reads | self.writes))

    def has_written(self, name: str) -> bool:
        """Whether this run wrote the newest commit of the table, in this process or in another job."""
        return name in self.commits or self.progress(name).get("run_id") == self.run.run_id

    def table(self, name: str) -> Table:
        """The contract of a declared table."""
        return self._require(name, self.reads | self.writes)

    def metadata(self, **progress: object) -> dict[str, object]:
        """The metadata that every commit of this step carries."""
        return {"run_id": self.run.run_id, "attempt": self.run.attempt, "step": self.step, **progress}

    def count_rows(self) -> int:
        """Number of rows that this step has written, without journals. Looks up all commits of the step at once."""
        self.store.resolve(self.written)
        self.commits.update({commit.table.name: commit.version for commit in self.written})
        return sum(commit.rows for commit in self.written if commit.table.kind is not Kind.JOURNAL)

    def count_bytes(self) -> int:
        """Size of the files that this step has written. Call it after `count_rows`, which looks up the commits."""
        return sum(commit.n_bytes for commit in self.written)

    def _record(self, commit: Commit) -> Commit:
        self.written.append(commit)
        return commit

    def _require(self, name: str, allowed: frozenset[str]) -> Table:
        if name not in allowed:
            raise KeyError(
                f"step {self.step} does not declare table {name}: add it to the map in pipeline.py"
            )
        return self.tables[name]

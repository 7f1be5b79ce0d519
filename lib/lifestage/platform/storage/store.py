"""The only module that touches Delta and knows where tables lie."""

import json
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from delta.tables import DeltaMergeBuilder, DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.errors import NoDataError
from lifestage.platform.runtime.frames import local_rows, materialize
from lifestage.platform.storage.contracts import Table, WriteMode, conform

logger = logging.getLogger(__name__)

# A merge takes its metadata from the session alone, which all steps share: one at a time. A save has an option,
# which wins over the session's setting.
METADATA_SETTING = "spark.databricks.delta.commitInfo.userMetadata"
_ONE_MERGE = threading.Lock()
BASE_PROPERTIES = {"delta.enableDeletionVectors": "true"}
ORDERED_TYPES = (T.NumericType, T.DateType, T.TimestampType, T.StringType)


@dataclass(frozen=True)
class Location:
    """Where tables live: under a root path, or in a catalog's schema."""

    root: str | None = None
    schema: str | None = None

    def name_of(self, table: Table) -> str:
        """Path or qualified name."""
        return f"{self.root}/{table.name}" if self.root else f"{self.schema}.{table.name}"


@dataclass(frozen=True)
class Commit:
    """What one write left in the table's log."""

    table: str
    version: int
    rows: int


@dataclass(frozen=True)
class Store:
    """Declared tables, read and written at one location."""

    spark: SparkSession
    location: Location

    def exists(self, table: Table) -> bool:
        """Whether the table was ever created here."""
        if self.location.root:
            return DeltaTable.isDeltaTable(self.spark, self.location.name_of(table))
        return self.spark.catalog.tableExists(self.location.name_of(table))

    def create(self, table: Table, properties: Mapping[str, str] | None = None) -> None:
        """Create the table empty, as declared, unless it is there."""
        if self.exists(table):
            return
        builder = DeltaTable.createIfNotExists(self.spark).comment(table.comment)
        name = self.location.name_of(table)
        builder = builder.location(name) if self.location.root else builder.tableName(name)
        builder = builder.addColumns(table.schema).partitionedBy(*table.partitions)
        for key, value in {**_properties(table), **(properties or {})}.items():
            builder = builder.property(key, value)
        builder.execute()

    def read(self, table: Table, version: int | None = None) -> DataFrame:
        """The table's rows at a version, newest by default; an empty frame where nothing was written yet."""
        if not self.exists(table):
            return local_rows(self.spark, [], table.schema)
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        name = self.location.name_of(table)
        logger.info("read table=%s version=%s", table.name, "newest" if version is None else version)
        try:
            return reader.load(name) if self.location.root else reader.table(name)
        except AnalysisException as error:
            raise NoDataError(
                f"{table.name}: version {version} cannot be read any more (removed by VACUUM?): {error}"
            ) from error

    def write(
        self,
        table: Table,
        frame: DataFrame,
        metadata: Mapping[str, object],
        replace: Mapping[str, Sequence[date | str]] | None = None,
        stay: Mapping[str, Sequence[date | str]] | None = None,
    ) -> Commit:
        """Write rows as the table's mode says; the frame must conform to the contract.

        Args:
            table: the contract.
            frame: rows, unique on the key for the modes merge and insert.
            metadata: kept in the commit: run, step and how far its input was consumed.
            replace: for the mode partitions, the partition values that the frame holds in full.
            stay: in place of it, the values that are left as they are; of all others the frame holds everything.
        """
        started = time.monotonic()
        self.create(table)
        rows = _laid_out(conform(frame, table), table)
        match table.mode:
            case WriteMode.APPEND:
                self._save(table, rows, "append", metadata)
            case WriteMode.OVERWRITE:
                self._save(table, rows, "overwrite", metadata)
            case WriteMode.PARTITIONS:
                self._save(table, rows, "overwrite", metadata, _replace_where(replace or {}, stay or {}))
            case WriteMode.INSERT:
                self._merge(self._merge_builder(table, rows).whenNotMatchedInsertAll(), metadata)
            case WriteMode.MERGE:
                merge = self._merge_builder(table, rows).whenMatchedUpdateAll()
                self._merge(merge.whenNotMatchedInsertAll(), metadata)
        return self._committed(table, started, metadata)

    def swap(self, table: Table, frame: DataFrame, metadata: Mapping[str, object], seen: int | None) -> None:
        """Overwrite the table unless somebody else has swapped it since version `seen`; read it to know.

        A write under a number that the log has seen already is left out by Delta, whatever it holds.
        """
        self.create(table)
        txn = {"txnAppId": table.name, "txnVersion": str((seen or 0) + 1)}
        self._save(table, conform(frame, table), "overwrite", metadata, txn)

    def replace_all(self, table: Table, frame: DataFrame, metadata: Mapping[str, object]) -> Commit:
        """Write the whole table anew, with the columns that its contract has today."""
        started = time.monotonic()
        self.create(table)
        rows = _laid_out(conform(frame, table), table)
        self._save(table, rows, "overwrite", metadata, {"overwriteSchema": "true"})
        return self._committed(table, started, metadata)

    def exchange(
        self,
        table: Table,
        removals: DataFrame,
        additions: DataFrame,
        metadata: Mapping[str, object],
        prune: str,
    ) -> Commit:
        """Take rows out and put others in, in one commit: a row may leave one day and come back on another.

        Args:
            table: the contract.
            removals: distinct values of some columns; every row that has them goes.
            additions: rows to put in, conforming to the contract.
            metadata: kept in the commit.
            prune: a predicate that all removals satisfy, on columns with statistics and without identifiers.
        """
        started = time.monotonic()
        self.create(table)
        removals = materialize(removals)
        on = removals.columns
        added = conform(additions, table)
        target = self.read(table).where(prune).select(*on).alias("t")
        same = [F.expr(f"t.{name} <=> s.{name}") for name in on]
        if removals.isEmpty() or target.join(removals.alias("s"), on=same, how="left_semi").isEmpty():
            # Nothing goes: an append spares the merge's second pass.
            self._save(table, _laid_out(added, table), "append", metadata)
        else:
            self._merge(self._exchange_builder(table, removals, added, prune), metadata)
        return self._committed(table, started, metadata)

    def _exchange_builder(
        self, table: Table, removals: DataFrame, added: DataFrame, prune: str
    ) -> DeltaMergeBuilder:
        removed = removals.withColumn("_remove", F.lit(True))
        rows = added.withColumn("_remove", F.lit(False)).unionByName(removed, allowMissingColumns=True)
        # As a struct, so that the columns of `prune` are the table's alone.
        # Few rows are sent round: otherwise the whole table would be, three times.
        source = materialize(rows.select("_remove", F.struct(*table.names).alias("row")))
        on = [f"({prune})", "s._remove", *[f"t.{name} <=> s.row.{name}" for name in removals.columns]]
        values: dict[str, str | Column] = {name: f"s.row.{name}" for name in table.names}
        merge = self._delta(table).alias("t").merge(source.alias("s"), " AND ".join(on))
        return merge.whenMatchedDelete().whenNotMatchedInsert(condition="NOT s._remove", values=values)

    def version(self, table: Table) -> int | None:
        """The newest version, or None where the table does not exist."""
        if not self.exists(table):
            return None
        return int(self._delta(table).history(1).select("version").first()["version"])  # type: ignore[index]

    def last_metadata(self, table: Table) -> dict[str, object]:
        """What the newest commit with metadata of ours says; empty where there is none.

        Commits of others (OPTIMIZE, VACUUM) carry none and change no row.
        """
        newest = self._newest_of_ours(table)
        return newest[1] if newest else {}

    def roll_back(self, table: Table, version: int) -> bool:
        """Restore the table to a version if a commit of ours came after it; True if it did."""
        newest = self._newest_of_ours(table)
        if newest is None or newest[0] <= version:
            return False
        logger.warning(
            "table=%s: an unfinished run wrote after version %d, restoring it", table.name, version
        )
        self._delta(table).restoreToVersion(version)
        return True

    def properties(self, table: Table) -> dict[str, str]:
        """The table's own properties; empty where it does not exist."""
        if not self.exists(table):
            return {}
        return dict(self._delta(table).detail().select("properties").first()["properties"])  # type: ignore[index]

    def _newest_of_ours(self, table: Table) -> tuple[int, dict[str, object]] | None:
        if not self.exists(table):
            return None
        # Newest first. That one is nearly always ours; only after one of others is the whole log read.
        for limit in (1, None):
            for row in self._delta(table).history(limit).select("version", "userMetadata").collect():
                if (row["userMetadata"] or "").startswith('{"lifestage"'):
                    return int(row["version"]), json.loads(row["userMetadata"])["lifestage"]
        return None

    def _delta(self, table: Table) -> DeltaTable:
        name = self.location.name_of(table)
        if self.location.root:
            return DeltaTable.forPath(self.spark, name)
        return DeltaTable.forName(self.spark, name)

    def _save(
        self,
        table: Table,
        rows: DataFrame,
        mode: str,
        metadata: Mapping[str, object],
        options: Mapping[str, str] | None = None,
    ) -> None:
        everything = {"userMetadata": _commit_text(metadata), **(options or {})}
        writer = rows.write.format("delta").mode(mode).partitionBy(*table.partitions).options(**everything)
        name = self.location.name_of(table)
        writer.save(name) if self.location.root else writer.saveAsTable(name)

    def _merge_builder(self, table: Table, rows: DataFrame) -> DeltaMergeBuilder:
        on = " AND ".join(f"t.{key} <=> s.{key}" for key in table.key)
        return self._delta(table).alias("t").merge(rows.alias("s"), on)

    def _merge(self, merge: DeltaMergeBuilder, metadata: Mapping[str, object]) -> None:
        with _ONE_MERGE:
            self.spark.conf.set(METADATA_SETTING, _commit_text(metadata))
            try:
                merge.execute()
            finally:
                self.spark.conf.unset(METADATA_SETTING)

    def _committed(self, table: Table, started: float, metadata: Mapping[str, object]) -> Commit:
        last = self._delta(table).history(1).select("version", "operationMetrics", "userMetadata").first()
        # Delta leaves out an append of nothing: the newest commit is then another's.
        is_ours = last is not None and last["userMetadata"] == _commit_text(metadata)
        metrics = last["operationMetrics"] if last and is_ours else {}
        rows = int(metrics.get("numOutputRows") or metrics.get("numTargetRowsInserted") or 0)
        commit = Commit(table.name, int(last["version"]) if last else 0, rows)
        seconds = time.monotonic() - started
        logger.info(
            "wrote table=%s version=%d rows=%d seconds=%.1f run=%s",
            *(table.name, commit.version, rows, seconds, metadata.get("run_id")),
        )
        return commit


def _commit_text(metadata: Mapping[str, object]) -> str:
    return json.dumps({"lifestage": dict(metadata)}, default=str)


def _properties(table: Table) -> dict[str, str]:
    """Statistics leave identifiers out: min and max would put them into the log."""
    if not table.unindexed:
        return BASE_PROPERTIES
    left_out = {*table.unindexed, *table.partitions}
    indexed = [c.name for c in table.columns if c.name not in left_out and isinstance(c.type, ORDERED_TYPES)]
    return {**BASE_PROPERTIES, "delta.dataSkippingStatsColumns": ",".join(indexed)}


def _laid_out(rows: DataFrame, table: Table) -> DataFrame:
    """Rows sorted inside each file by the declared order, so that file statistics prune."""
    return rows.sortWithinPartitions(*table.partitions, *table.order) if table.order else rows


def _replace_where(
    replaced: Mapping[str, Sequence[date | str]], staying: Mapping[str, Sequence[date | str]]
) -> dict[str, str]:
    where = [f"{column} IN ({literals(values)})" for column, values in replaced.items()]
    where += [
        f"{column} NOT IN ({literals(values)})" if values else f"{column} IS NOT NULL"
        for column, values in staying.items()
    ]
    return {"replaceWhere": " AND ".join(where), "mergeSchema": "true"}


def literals(values: Sequence[date | str]) -> str:
    """SQL literals for dates and plain names, sorted; never for identifiers."""
    return ", ".join(
        sorted(f"DATE'{v}'" if isinstance(v, date) else "'" + v.replace("'", "''") + "'" for v in values)
    )

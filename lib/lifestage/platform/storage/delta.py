"""Tables in Delta. Only this module writes them; it and arrow.py know where tables are."""

import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Any

from delta.exceptions import DeltaConcurrentModificationException
from delta.tables import DeltaMergeBuilder, DeltaTable
from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.errors import ConcurrentWriteError, StorageError
from lifestage.platform.runtime.frames import local_rows, materialize
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.storage.contracts import Table, WriteMode, conform
from lifestage.platform.storage.log import LOG_FOLDER, Entry, read_log, to_entry
from lifestage.platform.storage.reading import in_utc, unreadable
from lifestage.platform.storage.store import Rows, Store, Values, literals

logger = logging.getLogger(__name__)

COMMIT_COLUMNS = ("version", "operation", "userMetadata", "operationMetrics")

# A merge takes its metadata only from the session, which all threads share, so merges run one at a time. A save has an
# option of its own, which overrides the session.
METADATA_SETTING = "spark.databricks.delta.commitInfo.userMetadata"
_ONE_MERGE = threading.Lock()
# The property that lists the columns whose minimum and maximum Delta keeps for each file.
INDEXED = "delta.dataSkippingStatsColumns"
LOST_COLUMN = "DELTA_COLUMN_NOT_FOUND_IN_SCHEMA"
BASE_PROPERTIES = {"delta.enableDeletionVectors": "true"}
# How systems refuse to write, in their own words.
REFUSALS = (
    "No space left on device",
    "Disk quota exceeded",
    "Read-only file system",
    "Permission denied",
    "Access Denied",
)
ORDERED_TYPES = (T.NumericType, T.DateType, T.TimestampType, T.StringType)


@dataclass(frozen=True)
class Location:
    """Where tables are: under a root path or URI, or in a schema of the catalog."""

    root: str | None = None
    schema: str | None = None

    def name_of(self, table: Table) -> str:
        """Path or qualified name."""
        return f"{self.root}/{table.name}" if self.root else f"{self.schema}.{table.name}"


class DeltaStore(Store):
    """Tables in Delta. Holds no state: every call asks Delta, so that one store can serve for any length of time."""

    def __init__(self, spark: SparkSession, location: Location) -> None:
        """Access the tables of one location through one session."""
        self._spark, self.location = spark, location

    @property
    def spark(self) -> SparkSession:
        """The session that frames belong to."""
        return self._spark

    def describe(self) -> str:
        """Where the tables are, for messages."""
        return self.location.root or f"schema {self.location.schema}"

    def exists(self, table: Table) -> bool:
        """Whether the table was created."""
        name = self.location.name_of(table)
        if self.location.root:
            return DeltaTable.isDeltaTable(self.spark, name)
        return self.spark.catalog.tableExists(name)

    def add(self, table: Table, properties: Mapping[str, str]) -> None:
        """Create the table, empty, unless it exists."""
        builder = DeltaTable.createIfNotExists(self.spark).comment(table.comment)
        name = self.location.name_of(table)
        builder = builder.location(name) if self.location.root else builder.tableName(name)
        builder = builder.addColumns(table.schema).partitionedBy(*table.partitions)
        for key, value in {**_properties(table), **properties}.items():
            builder = builder.property(key, value)
        with self._explain_refusal(table):
            builder.execute()

    def properties(self, table: Table) -> dict[str, str]:
        """The properties of the table; empty if it doesn't exist."""
        if not self.exists(table):
            return {}
        return dict(self._delta(table).detail().select("properties").collect()[0]["properties"])

    def empty(self, table: Table) -> DataFrame:
        """A frame without rows, with the schema of the table."""
        return local_rows(self.spark, [], table.schema)

    def load(self, table: Table, version: int | None) -> DataFrame:
        """The rows of a table that exists."""
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        name = self.location.name_of(table)
        try:
            return reader.load(name) if self.location.root else reader.table(name)
        except AnalysisException as error:
            raise unreadable(table, version, error) from error

    def load_changes(self, table: Table, since: int, columns: Sequence[str], where: str) -> DataFrame | None:
        """The changes of a table that exists and has versions after `since`."""
        reader = self.spark.read.format("delta").option("readChangeFeed", "true")
        reader = reader.option("startingVersion", since + 1)
        name = self.location.name_of(table)
        try:
            changes = reader.load(name) if self.location.root else reader.table(name)
            return materialize(changes.where(where).select(*columns).distinct())
        except (Py4JJavaError, PySparkException) as error:
            # PySpark does not translate the error for a file that is gone.
            logger.info("table=%s: changes since version %d cannot be read: %s", table.name, since, error)
            return None

    def load_rows(self, table: Table, columns: Sequence[str], version: int | None) -> list[dict[str, Any]]:
        """The rows of a table that exists, on the driver. See `read_rows`."""
        # Collect all rows: to take only the first, Spark would start several jobs of growing size.
        return [
            {name: in_utc(value) for name, value in row.asDict(recursive=True).items()}
            for row in self.load(table, version).select(*columns).collect()
        ]

    def logs(self, asked: Sequence[tuple[Table, int | None]]) -> dict[str, list[Entry]]:
        """The newest commits of tables that exist, by table name, newest first.

        The log of a table below a local root is read directly, because `history` costs a Spark execution per table.
        """
        logs: dict[str, list[Entry]] = {}
        elsewhere = []
        for table, limit in asked:
            if folder := self._local_folder(table):
                logs[table.name] = read_log(folder, limit)
            else:
                elsewhere.append((table, limit))
        return logs | self._histories(elsewhere)

    def _local_folder(self, table: Table) -> Path | None:
        """The folder of a table on this machine; None if it lies elsewhere.

        An installed Spark may resolve a path to another file system.
        """
        if "SPARK_HOME" in os.environ:
            return None
        folder = Path(self.location.name_of(table))
        return folder if self.location.root and (folder / LOG_FOLDER).is_dir() else None

    def _histories(self, asked: Sequence[tuple[Table, int | None]]) -> dict[str, list[Entry]]:
        """The commits from Delta's `history`: one execution for each table, and one to collect all of them."""
        if not asked:
            return {}
        frames = run_in_parallel([partial(self._history, table, limit) for table, limit in asked])
        found: dict[str, list[Entry]] = {table.name: [] for table, _ in asked}
        for row in reduce(DataFrame.unionByName, frames).collect():
            entry = to_entry(*(row[name] for name in COMMIT_COLUMNS))
            found[row["table"]].append(entry)
        return {name: sorted(log, key=lambda entry: -entry.version) for name, log in found.items()}

    def _history(self, table: Table, limit: int | None) -> DataFrame:
        return self._delta(table).history(limit).select(F.lit(table.name).alias("table"), *COMMIT_COLUMNS)

    def restore(self, table: Table, version: int) -> None:
        """Write the rows of an old version as a new version."""
        with self._explain_refusal(table):
            self._delta(table).restoreToVersion(version)

    def put(self, table: Table, rows: Rows, text: str, replace: Values, keep: Values) -> None:
        """Write rows in the mode of the table."""
        frame = self._sort_rows(table, rows)
        match table.mode:
            case WriteMode.APPEND:
                self._save(table, frame, "append", text)
            case WriteMode.OVERWRITE:
                self._save(table, frame, "overwrite", text)
            case WriteMode.PARTITIONS:
                self._save(table, frame, "overwrite", text, _replace_where(replace, keep))
            case WriteMode.INSERT:
                self._merge(table, self._merge_builder(table, frame).whenNotMatchedInsertAll(), text)
            case WriteMode.MERGE:
                merge = self._merge_builder(table, frame).whenMatchedUpdateAll()
                self._merge(table, merge.whenNotMatchedInsertAll(), text)

    def put_all(self, table: Table, rows: Rows, text: str) -> None:
        """Replace all rows and the schema."""
        frame = self._sort_rows(table, rows)
        try:
            self._save(table, frame, "overwrite", text, {"overwriteSchema": "true"})
        except AnalysisException as error:
            if error.getCondition() != LOST_COLUMN:
                raise
            self._forget_columns(table)
            self._save(table, frame, "overwrite", text, {"overwriteSchema": "true"})

    def _forget_columns(self, table: Table) -> None:
        """Drop columns that left the contract from the statistics, because Delta refuses a schema without them."""
        indexed = [name for name in self.properties(table)[INDEXED].split(",") if name in table.names]
        name = self.location.name_of(table)
        name = f"delta.`{name}`" if self.location.root else name
        self.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('{INDEXED}' = '{','.join(indexed)}')")

    def put_once(self, table: Table, rows: Rows, text: str, number: int) -> None:
        """Append or replace rows, by the mode of the table, unless it has seen the number or a greater one.

        Delta ignores a write whose transaction number isn't greater than the last one of its application.
        """
        options = {"txnAppId": table.name, "txnVersion": str(number)}
        try:
            self._save(table, self._sort_rows(table, rows), table.mode.value, text, options)
        except DeltaConcurrentModificationException as error:
            raise ConcurrentWriteError(f"{table.name}: another writer committed at the same time") from error

    def put_exchange(
        self, table: Table, removals: DataFrame, additions: DataFrame, text: str, prune: str
    ) -> None:
        """Remove and add rows in one commit."""
        removals = materialize(removals)
        on = removals.columns
        added = conform(additions, table)
        target = self.load(table, None).where(prune).select(*on).alias("t")
        same = [F.expr(f"t.{name} <=> s.{name}") for name in on]
        if removals.isEmpty() or target.join(removals.alias("s"), on=same, how="left_semi").isEmpty():
            # Nothing to remove: an append avoids the second pass of a merge.
            self._save(table, self._sort_rows(table, added), "append", text)
        else:
            self._merge(table, self._exchange_builder(table, removals, added, prune), text)

    def _exchange_builder(
        self, table: Table, removals: DataFrame, added: DataFrame, prune: str
    ) -> DeltaMergeBuilder:
        removed = removals.withColumn("_remove", F.lit(True))
        rows = added.withColumn("_remove", F.lit(False)).unionByName(removed, allowMissingColumns=True)
        # A struct, so that column names in `prune` refer only to the table. Materialized, so that Spark broadcasts few
        # rows; otherwise the merge would shuffle the whole table three times.
        source = materialize(rows.select("_remove", F.struct(*table.names).alias("row")))
        on = [f"({prune})", "s._remove", *[f"t.{name} <=> s.row.{name}" for name in removals.columns]]
        values: dict[str, str | Column] = {name: f"s.row.{name}" for name in table.names}
        merge = self._delta(table).alias("t").merge(source.alias("s"), " AND ".join(on))
        return merge.whenMatchedDelete().whenNotMatchedInsert(condition="NOT s._remove", values=values)

    def _delta(self, table: Table) -> DeltaTable:
        name = self.location.name_of(table)
        if self.location.root:
            return DeltaTable.forPath(self.spark, name)
        return DeltaTable.forName(self.spark, name)

    def _sort_rows(self, table: Table, rows: Rows) -> DataFrame:
        """Rows in the contract's schema, sorted within each file by its order, so that file statistics prune."""
        frame = rows if isinstance(rows, DataFrame) else local_rows(self.spark, rows, table.schema)
        frame = conform(frame, table)
        return frame.sortWithinPartitions(*table.partitions, *table.order) if table.order else frame

    def _save(
        self, table: Table, rows: DataFrame, mode: str, text: str, options: Mapping[str, str] | None = None
    ) -> None:
        everything = {"userMetadata": text, **(options or {})}
        writer = rows.write.format("delta").mode(mode).partitionBy(*table.partitions).options(**everything)
        name = self.location.name_of(table)
        with self._explain_refusal(table):
            writer.save(name) if self.location.root else writer.saveAsTable(name)

    def _merge_builder(self, table: Table, rows: DataFrame) -> DeltaMergeBuilder:
        on = " AND ".join(f"t.{key} <=> s.{key}" for key in table.key)
        return self._delta(table).alias("t").merge(rows.alias("s"), on)

    def _merge(self, table: Table, merge: DeltaMergeBuilder, text: str) -> None:
        with _ONE_MERGE, self._explain_refusal(table):
            self.spark.conf.set(METADATA_SETTING, text)
            try:
                merge.execute()
            finally:
                self.spark.conf.unset(METADATA_SETTING)

    @contextmanager
    def _explain_refusal(self, table: Table) -> Iterator[None]:
        """Turn an error of a storage that refuses to write into one that says so."""
        try:
            yield
        except (Py4JJavaError, PySparkException) as error:
            refusal = next((text for text in REFUSALS if text in str(error)), None)
            if refusal is None:
                raise
            raise StorageError(
                f"{table.name}: {self.describe()} cannot be written: {refusal}. No row of this write counts: make room or "
                "grant access, and run again"
            ) from error


def _properties(table: Table) -> dict[str, str]:
    """Keep identifiers out of statistics, because the log would show their minimum and maximum."""
    properties = BASE_PROPERTIES
    if table.has_change_feed:
        properties = {**properties, "delta.enableChangeDataFeed": "true"}
    if not table.unindexed:
        return properties
    left_out = {*table.unindexed, *table.partitions}
    indexed = [c.name for c in table.columns if c.name not in left_out and isinstance(c.type, ORDERED_TYPES)]
    return {**properties, INDEXED: ",".join(indexed)}


def _replace_where(replace: Values, keep: Values) -> dict[str, str]:
    where = [f"{column} IN ({literals(values)})" for column, values in replace.items()]
    where += [
        f"{column} NOT IN ({literals(values)})" if values else f"{column} IS NOT NULL"
        for column, values in keep.items()
    ]
    return {"replaceWhere": " AND ".join(where), "mergeSchema": "true"}

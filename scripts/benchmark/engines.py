"""Run the query of the state in DuckDB, in Polars and in Spark SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import duckdb
import sqlglot
from pyspark.sql import SparkSession

from benchmark.state_query import EMPTY_COLUMNS

# The events as activity sees them. Polars has the same columns as expressions, because its SQL has no days between dates.
EVENTS = """
SELECT member, kind AS event_type, kind IN ({actions}) AS is_action, CAST(event_at AS DATE) AS event_date,
       DATEDIFF(DATE '{as_of}', CAST(event_at AS DATE)) AS age, HOUR(event_at) AS local_hour, false AS is_new_product,
       channel, category, quantity, amount, starts_session, {empty}
FROM {files} WHERE CAST(event_at AS DATE) <= DATE '{as_of}'
"""


@dataclass(frozen=True)
class Task:
    """The files to read, the query, and where its result goes."""

    files: Path
    as_of: date
    actions: Sequence[str]
    query: str
    result: Path

    def events(self, dialect: str) -> str:
        """The query of the relation `events`."""
        empty = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in EMPTY_COLUMNS.items())
        actions = ", ".join(f"'{name}'" for name in self.actions)
        query = EVENTS.format(as_of=self.as_of, actions=actions, empty=empty, files="files")
        return sqlglot.transpile(query, read="spark", write=dialect)[0]


class Engine(Protocol):
    """Computes the query and writes its result to parquet."""

    def __call__(self, task: Task) -> None:
        """Compute and write."""


def run_duckdb(task: Task) -> None:
    """Compute the state with DuckDB."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW files AS FROM '{task.files}/*.parquet'")
    connection.execute(f"CREATE VIEW events AS {task.events('duckdb')}")
    connection.execute(f"COPY ({task.query}) TO '{task.result}'")


def run_polars(task: Task) -> None:
    """Compute the state with Polars."""
    import polars as pl  # Only the benchmark installs it.

    event_date = pl.col("event_at").dt.date()
    events = (
        pl.scan_parquet(task.files / "*.parquet")
        .rename({"kind": "event_type"})
        .with_columns(
            event_date=event_date,
            age=(pl.lit(task.as_of) - event_date).dt.total_days(),
            local_hour=pl.col("event_at").dt.hour(),
            is_action=pl.col("event_type").is_in(list(task.actions)),
            is_new_product=pl.lit(False),
            **{name: pl.sql_expr(f"CAST(NULL AS {kind})") for name, kind in EMPTY_COLUMNS.items()},
        )
        .filter(pl.col("age") >= 0)
    )
    pl.SQLContext(events=events).execute(task.query, eager=False).sink_parquet(task.result)


def run_spark_sql(task: Task, spark: SparkSession) -> None:
    """Compute the state with Spark SQL, without optimizations of our own."""
    spark.read.parquet(str(task.files)).createOrReplaceTempView("files")
    spark.sql(task.events("spark")).createOrReplaceTempView("events")
    spark.sql(task.query).write.mode("overwrite").parquet(str(task.result))

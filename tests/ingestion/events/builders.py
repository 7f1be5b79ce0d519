"""Builders of arriving rows and known tables, with fixed defaults."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.ingestion.events.resolve import Resolution, build_tombstones, resolve
from lifestage.ingestion.events.tables import EVENT_VERSIONS, EVENTS

# Source: whether it looks back, whether it rejects changes, and whether each file is the whole list.
SOURCES = {
    "plain": (False, False, False),
    "strict": (False, True, False),
    "versioned": (True, False, False),
    "deletable": (True, False, False),
    "strict_deletable": (True, True, False),
    "list": (True, False, True),
}
WINDOW_START = date(2026, 3, 1)
INSIDE, LATER, BEFORE = date(2026, 3, 10), date(2026, 4, 12), date(2026, 2, 1)
FIRST_RUN = datetime(2026, 4, 20)

ARRIVALS = T.StructType(
    [
        *EVENTS.schema.fields,
        T.StructField("raw", T.StringType()),
        T.StructField("reasons", T.ArrayType(T.StringType())),
        T.StructField("warnings", T.ArrayType(T.StringType())),
        T.StructField("is_delete", T.BooleanType()),
        T.StructField("looks_back", T.BooleanType()),
        T.StructField("rejects_changes", T.BooleanType()),
        T.StructField("replaces_changes", T.BooleanType()),
    ]
)


def row(
    source: str = "plain",
    key: str = "k",
    delivery: int = 1,
    version: int | None = None,
    amount: int | None = 1,
    day: date = INSIDE,
    is_delete: bool = False,
    reasons: Iterable[str] = (),
    **columns: Any,
) -> dict[str, Any]:
    """Build one arriving row. The part of the source name before a dash decides its kind (see SOURCES)."""
    looks_back, rejects_changes, replaces_changes = SOURCES[source.partition("-")[0]]
    return {
        "event_id": key,
        "source": source,
        "event_type": "purchase",
        "event_at": datetime(day.year, day.month, day.day, 12),
        "event_date": day,
        "event_month": day.replace(day=1),
        "ingested_at": FIRST_RUN + timedelta(days=delivery),
        "delivery_no": delivery,
        "version": version,
        "amount": None if amount is None else Decimal(amount),
        "raw": f"{source},{key},{version},{amount}",
        "reasons": list(reasons),
        "warnings": [],
        "is_delete": is_delete,
        "looks_back": looks_back,
        "rejects_changes": rejects_changes,
        "replaces_changes": replaces_changes,
        **columns,
    }


def arrivals(spark: SparkSession, rows: Iterable[Mapping[str, Any]]) -> DataFrame:
    return spark.createDataFrame(
        [tuple(item.get(name) for name in ARRIVALS.names) for item in rows], ARRIVALS
    )


@dataclass(frozen=True)
class Books:
    """The tables after some runs, and the resolved rows of the last run."""

    events: DataFrame
    versions: DataFrame
    arrivals: DataFrame | None = None


def empty_books(spark: SparkSession) -> Books:
    return Books(spark.createDataFrame([], EVENTS.schema), spark.createDataFrame([], EVENT_VERSIONS.schema))


def resolve_against(books: Books, rows: DataFrame) -> Resolution:
    """Resolve rows against the tables, as the ingest step does."""
    return resolve(rows, books.events, build_tombstones(books.versions), F.lit(WINDOW_START))


def apply(books: Books, rows: DataFrame) -> Books:
    """Return the tables after the rows were resolved and written."""
    resolution = resolve_against(books, rows)
    judged = resolution.arrivals.localCheckpoint()
    remaining, versions = books.events, books.versions
    if resolution.removed is not None:
        remaining = remaining.join(
            resolution.removed.select(*EVENTS.key), on=list(EVENTS.key), how="left_anti"
        )
    if resolution.versions is not None:
        versions = versions.unionByName(resolution.versions)
    events = remaining.select(*EVENTS.names).unionByName(judged.where("stays").select(*EVENTS.names))
    return Books(events.localCheckpoint(), versions.localCheckpoint(), judged)

"""Rejected rows by source and reason: how many wait, and how many a replay took up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.events.replay import keep_waiting


@dataclass(frozen=True)
class Reason:
    """The waiting rows of one source that have a reason; a row with two reasons counts in both."""

    reason: str
    n_rows: int
    first_read_on: date
    last_read_on: date


@dataclass(frozen=True)
class RejectedRows:
    """The rejected rows of one source."""

    source: str
    n_waiting: int
    n_replayed: int
    reasons: tuple[Reason, ...]
    """Of the waiting rows, the most frequent first."""


def count_rejected(rejected: DataFrame, ledger: DataFrame) -> list[RejectedRows]:
    """The rejected rows of each source that ever had any, by its name; bounded by sources and reasons.

    Args:
        rejected: rows of rejected_events.
        ledger: rows of ingest_ledger.
    """
    totals = ledger.groupBy("source").agg(F.sum("n_rejected").alias("n")).where("n > 0").collect()
    rows = keep_waiting(rejected, ledger)
    n_waiting = {row["source"]: row["count"] for row in rows.groupBy("source").count().collect()}
    reasons = _count_reasons(rows)
    return [
        RejectedRows(
            source, n_waiting.get(source, 0), n - n_waiting.get(source, 0), tuple(reasons.get(source, ()))
        )
        for source, n in sorted((row["source"], row["n"]) for row in totals)
    ]


def _count_reasons(rows: DataFrame) -> Mapping[str, list[Reason]]:
    days = rows.select("source", F.explode("reasons").alias("reason"), F.to_date("ingested_at").alias("day"))
    counts = days.groupBy("source", "reason").agg(
        F.count("*").alias("n"), F.min("day").alias("first"), F.max("day").alias("last")
    )
    found: dict[str, list[Reason]] = {}
    for row in counts.orderBy("source", F.col("n").desc(), "reason").collect():
        found.setdefault(row["source"], []).append(Reason(row["reason"], row["n"], row["first"], row["last"]))
    return found

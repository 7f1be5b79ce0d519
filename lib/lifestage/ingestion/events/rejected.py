"""Rejected rows by source and reason: how many wait, and how many were replayed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.events.replay import keep_waiting


@dataclass(frozen=True)
class Reason:
    """The waiting rows of one source with one reason. A row with two reasons counts for both."""

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
    n_corrected: int
    """Rows that no longer wait, because a later delivery brought their corrected version."""
    reasons: tuple[Reason, ...]
    """Reasons of the waiting rows, the most frequent first."""


def count_rejected(
    rejected: DataFrame, ledger: DataFrame, drop_done: Callable[[DataFrame], DataFrame] = lambda rows: rows
) -> list[RejectedRows]:
    """The rejected rows of each source that ever had any, sorted by source; bounded by sources and reasons.

    Args:
        rejected: rows of rejected_events.
        ledger: rows of ingest_ledger.
        drop_done: drops rows whose corrected version has arrived; by default, they count as waiting.
    """
    totals = ledger.groupBy("source").agg(F.sum("n_rejected").alias("n")).where("n > 0").collect()
    before = keep_waiting(rejected, ledger)
    n_before = _count_by_source(before)
    rows = drop_done(before) if n_before else before
    n_waiting, reasons = _count_by_source(rows), _count_reasons(rows)
    return [
        RejectedRows(
            source,
            n_waiting=n_waiting.get(source, 0),
            n_replayed=n - n_before.get(source, 0),
            n_corrected=n_before.get(source, 0) - n_waiting.get(source, 0),
            reasons=tuple(reasons.get(source, ())),
        )
        for source, n in sorted((row["source"], row["n"]) for row in totals)
    ]


def _count_by_source(rows: DataFrame) -> dict[str, int]:
    return {row["source"]: row["count"] for row in rows.groupBy("source").count().collect()}


def _count_reasons(rows: DataFrame) -> Mapping[str, list[Reason]]:
    days = rows.select("source", F.explode("reasons").alias("reason"), F.to_date("ingested_at").alias("day"))
    counts = days.groupBy("source", "reason").agg(
        F.count("*").alias("n"), F.min("day").alias("first"), F.max("day").alias("last")
    )
    found: dict[str, list[Reason]] = {}
    for row in counts.orderBy("source", F.col("n").desc(), "reason").collect():
        found.setdefault(row["source"], []).append(Reason(row["reason"], row["n"], row["first"], row["last"]))
    return found

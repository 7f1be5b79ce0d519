"""What may be wrong with events: rejected rows that wait, and keys that count on two dates."""

from collections.abc import Iterator

from pyspark.sql import functions as F

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.rejected import count_rejected
from lifestage.platform.findings import N_NAMED, Examination, Finding, Level
from lifestage.platform.plurals import count_of


def diagnose_events(root: Examination, config: IngestConfig) -> Iterator[Finding]:
    """Findings about rejected rows, and about keys on two dates unless the examination is fast."""
    yield from _diagnose_rejected_rows(root)
    if not root.is_fast:
        yield from _diagnose_keys(root, config)


def _diagnose_rejected_rows(root: Examination) -> Iterator[Finding]:
    counts = count_rejected(root.read("rejected_events"), root.read("ingest_ledger"))
    found = [item for item in counts if item.n_waiting]
    if not found:
        yield Finding(Level.OK, "rejected rows", "no row waits")
    for item in found:
        reasons = ", ".join(f"{reason.reason} {reason.n_rows:,}" for reason in item.reasons[:N_NAMED])
        detail = f"{item.source}: {count_of(item.n_waiting, 'row')} waiting: {reasons}"
        next_step = f"lifestage quarantine list --source {item.source} --show"
        yield Finding(Level.NOTE, "rejected rows", detail, next_step)


def _diagnose_keys(root: Examination, config: IngestConfig) -> Iterator[Finding]:
    """Sources without a version look a row up on its own date only: a key that comes back on another counts twice."""
    sources = [name for name, source in config.sources.items() if source.key and source.version is None]
    events = root.read("events").where(F.col("source").isin(*sources))
    keys = events.groupBy("source", "event_id").count().where("count > 1")
    counts = keys.groupBy("source").agg(F.count("*").alias("n"), F.min("event_id").alias("example"))
    found = counts.orderBy("source").collect()
    if not found:
        yield Finding(Level.OK, "keys on two dates", "none")
    for row in found:
        detail = (
            f"{row['source']}: {count_of(row['n'], 'key')}, e.g. {row['example']}: each counts on both dates"
        )
        next_step = (
            f"if its rows are corrected, declare `version` in sources/{row['source']}.yaml; "
            "if keys are reused, add the date to `key`"
        )
        yield Finding(Level.NOTE, "keys on two dates", detail, next_step)

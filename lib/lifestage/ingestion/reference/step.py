"""Load keyed extracts, before any event is read."""

from collections.abc import Mapping, Sequence
from functools import partial, reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.reference.config import ReferenceConfig
from lifestage.ingestion.reference.counts import Entry, counted, problems
from lifestage.ingestion.reference.mapping import to_reference
from lifestage.ingestion.reference.versions import versions_after
from lifestage.ingestion.sources.config import Extract, ReferenceSource
from lifestage.ingestion.sources.deliveries import Delivery, by_source
from lifestage.ingestion.sources.gates import stop
from lifestage.ingestion.sources.ledger import commit_deliveries, undelivered
from lifestage.ingestion.sources.quarantine import to_rejected
from lifestage.ingestion.sources.readers import check_headers, read_raw
from lifestage.ingestion.sources.tables import REFERENCE
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import checkpoint
from lifestage.platform.runtime.parallel import run_in_parallel

QUARANTINE = "rejected_events"


def run(job: Job, config: ReferenceConfig) -> None:
    """Bring every reference table up to date with the extracts that the ledger does not know.

    All are judged before any is written.
    """
    deliveries = undelivered(job, config.sources, config.landing)
    if not deliveries:
        return
    fresh = by_source(deliveries)
    # Read by the counts and by the load: an extract is read once.
    lines = {name: checkpoint(_lines(job, config, name, mine)) for name, mine in fresh.items()}
    for name, rows in lines.items():
        check_headers(rows, config.sources, fresh[name])
    counts = dict(
        zip(lines, run_in_parallel([partial(counted, rows) for rows in lines.values()]), strict=True)
    )
    found = [problems(name, config.sources[name], counts[name], lines[name]) for name in sorted(lines)]
    stop([problem for those in found for problem in those])
    _quarantine(job, config, counts, lines)
    spans = run_in_parallel(
        [
            partial(_write, job, config.sources[name], fresh[name], rows, _rejects(counts[name]))
            for name, rows in lines.items()
        ]
    )
    entries = {
        number: {**entry, **span.get(number, {})}
        for mine, span in zip(counts.values(), spans, strict=True)
        for number, entry in mine.items()
    }
    commit_deliveries(job, deliveries, REFERENCE, entries, [*config.sources, QUARANTINE])


def _lines(job: Job, config: ReferenceConfig, name: str, deliveries: Sequence[Delivery]) -> DataFrame:
    """Rows of one table with the reasons against them, and header lines."""
    source = config.sources[name]
    return to_reference(read_raw(job.spark, source, deliveries), source, config, job.keys)


def _quarantine(
    job: Job,
    config: ReferenceConfig,
    counts: Mapping[str, Mapping[int, Entry]],
    lines: Mapping[str, DataFrame],
) -> None:
    """Keep the rejected rows of all tables, in one commit; none where none was rejected."""
    rows = [
        _rejected(lines[name], name, config.sources[name], job)
        for name, mine in counts.items()
        if _rejects(mine)
    ]
    if rows:
        checkpoint = to_rejected(reduce(DataFrame.unionByName, rows), job.table(QUARANTINE), job.keys)
        job.write(QUARANTINE, checkpoint)


def _rejects(counts: Mapping[int, Entry]) -> bool:
    return any(entry["n_rejected"] for entry in counts.values())


def _rejected(lines: DataFrame, name: str, source: ReferenceSource, job: Job) -> DataFrame:
    return lines.where("NOT is_header AND size(reasons) > 0").select(
        F.lit(name).alias("source"),
        "delivery_no",
        F.lit(job.run.now).cast("timestamp").alias("ingested_at"),
        F.col("extract_date").alias("event_date"),
        "reasons",
        _identifiers(source).alias("identifiers"),
        F.col("_raw").alias("raw"),
    )


def _identifiers(source: ReferenceSource) -> Column:
    """Pseudonyms by type, of two columns of one type the first that has one; NULL where there is none."""
    columns = {
        kind: [F.col(column) for column, its in source.identifiers.items() if its == kind]
        for kind in source.identifiers.values()
    }
    if not columns:
        return F.lit(None).cast("map<string,string>")
    pairs = [part for kind, those in columns.items() for part in (F.lit(kind), F.coalesce(*those))]
    present = F.map_filter(F.create_map(*pairs), lambda _, value: value.isNotNull())
    return F.when(F.size(present) > 0, present)


def _write(
    job: Job, source: ReferenceSource, deliveries: Sequence[Delivery], lines: DataFrame, rejects: bool
) -> dict[int, dict[str, object]]:
    """Put the changed versions in; per delivery, the first and last business date that it changed."""
    name = deliveries[0].source
    rows = lines.where("NOT is_header")
    is_good = F.size("reasons") == 0
    changes = versions_after(
        job.read(name),
        rows.where(is_good & ~F.col("is_repeat")).select(
            *source.map, "is_ended", "extract_date", "delivery_no"
        ),
        source.key,
        source.payload,
        source.extract is Extract.FULL,
        rows.where(~is_good) if rejects else None,
    )
    changed = checkpoint(changes)
    job.exchange(name, changed.select(*source.key).distinct(), changed, "true")
    return _days_changed(job.read(name), deliveries)


def _days_changed(versions: DataFrame, deliveries: Sequence[Delivery]) -> dict[int, dict[str, object]]:
    first = min(delivery.delivery_no for delivery in deliveries)
    days = [F.min("extract_date").alias("first_event_date"), F.max("extract_date").alias("last_event_date")]
    by_delivery = versions.where(F.col("delivery_no") >= first).groupBy("delivery_no").agg(*days)
    return {row["delivery_no"]: row.asDict() for row in by_delivery.collect()}

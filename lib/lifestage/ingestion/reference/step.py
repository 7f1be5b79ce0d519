"""The reference step: load keyed extracts, before any event is read."""

from collections.abc import Mapping, Sequence
from functools import partial, reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.reference.config import ReferenceConfig
from lifestage.ingestion.reference.counts import LedgerEntry, count_rows, find_load_problems
from lifestage.ingestion.reference.mapping import to_reference
from lifestage.ingestion.reference.versions import build_versions
from lifestage.ingestion.sources.config import Extract, ReferenceSource
from lifestage.ingestion.sources.deliveries import Delivery, check_unchanged, group_by_source
from lifestage.ingestion.sources.gates import raise_gate_failures
from lifestage.ingestion.sources.holding import read_or_hold
from lifestage.ingestion.sources.ledger import commit_deliveries, find_new_deliveries
from lifestage.ingestion.sources.quarantine import to_rejected
from lifestage.ingestion.sources.readers import check_headers, read_raw
from lifestage.ingestion.sources.reasons import DATA_ROWS
from lifestage.ingestion.sources.tables import REFERENCE
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import checkpoint
from lifestage.platform.runtime.parallel import run_in_parallel

QUARANTINE = "rejected_events"


def run(job: Job, config: ReferenceConfig) -> None:
    """Update every reference table from the extracts that the ledger does not list.

    All extracts are checked before the first write, and one append to the ledger commits them, last.

    Raises:
        SourceError: if a file cannot be read as its source declares it.
        CheckError: if too few rows of a table pass, or a full extract has several dates.
    """
    deliveries = find_new_deliveries(job, config.sources, config.landing)
    if not deliveries:
        return
    lines, deliveries = read_or_hold(deliveries, config.sources, partial(_read_tables, job, config))
    if not deliveries:
        return
    fresh = group_by_source(deliveries)
    check_unchanged(job.spark, deliveries)
    counts = dict(
        zip(lines, run_in_parallel([partial(count_rows, rows) for rows in lines.values()]), strict=True)
    )
    problems = [
        find_load_problems(name, config.sources[name], counts[name], lines[name]) for name in sorted(lines)
    ]
    raise_gate_failures([line for lines_of_table in problems for line in lines_of_table])
    with_rejects = {name for name in lines if any(entry["n_rejected"] for entry in counts[name].values())}
    _write_rejected(job, config, {name: lines[name] for name in lines if name in with_rejects})
    dates = run_in_parallel(
        [
            partial(_write_versions, job, config.sources[name], fresh[name], rows, name in with_rejects)
            for name, rows in lines.items()
        ]
    )
    entries: dict[int, LedgerEntry] = {
        number: {**entry, **changed.get(number, {})}
        for of_table, changed in zip(counts.values(), dates, strict=True)
        for number, entry in of_table.items()
    }
    commit_deliveries(job, deliveries, REFERENCE, entries, [*config.sources, QUARANTINE])


def _read_tables(job: Job, config: ReferenceConfig, deliveries: Sequence[Delivery]) -> dict[str, DataFrame]:
    """Read the rows of each table with new files, and check their headers."""
    fresh = group_by_source(deliveries)
    # The counts and the load both read the rows: keep them instead of reading the extracts twice.
    lines = {name: checkpoint(_read_lines(job, config, name, fresh[name])) for name in fresh}
    for name, rows in lines.items():
        check_headers(rows, config.sources, fresh[name])
    return lines


def _read_lines(job: Job, config: ReferenceConfig, name: str, deliveries: Sequence[Delivery]) -> DataFrame:
    """Read the rows of one table with the reasons to reject them, header lines included."""
    source = config.sources[name]
    return to_reference(read_raw(job.spark, source, deliveries), source, config, job.keys)


def _write_rejected(job: Job, config: ReferenceConfig, lines: Mapping[str, DataFrame]) -> None:
    """Write the rejected rows of all tables, in one commit; without tables, nothing is written."""
    frames = [_select_rejected(rows, name, config.sources[name], job) for name, rows in lines.items()]
    if frames:
        rejected = reduce(DataFrame.unionByName, frames)
        job.write(QUARANTINE, to_rejected(rejected, job.table(QUARANTINE), job.keys))


def _select_rejected(lines: DataFrame, name: str, source: ReferenceSource, job: Job) -> DataFrame:
    return (
        lines.where(DATA_ROWS)
        .where("size(reasons) > 0")
        .select(
            F.lit(name).alias("source"),
            "delivery_no",
            F.lit(job.run.now).cast("timestamp").alias("ingested_at"),
            F.col("extract_date").alias("event_date"),
            "reasons",
            _identifiers(source).alias("identifiers"),
            F.col("_raw").alias("raw"),
        )
    )


def _identifiers(source: ReferenceSource) -> Column:
    """Return pseudonyms by identifier type, NULL if there is none; of two columns of one type, the first present."""
    columns = {
        id_type: [F.col(column) for column, its in source.identifiers.items() if its == id_type]
        for id_type in source.identifiers.values()
    }
    if not columns:
        return F.lit(None).cast("map<string,string>")
    pairs = [part for id_type, those in columns.items() for part in (F.lit(id_type), F.coalesce(*those))]
    present = F.map_filter(F.create_map(*pairs), lambda _, value: value.isNotNull())
    return F.when(F.size(present) > 0, present)


def _write_versions(
    job: Job, source: ReferenceSource, deliveries: Sequence[Delivery], lines: DataFrame, has_rejects: bool
) -> dict[int, dict[str, object]]:
    """Write the changed versions of one table, and return the first and last business date that each delivery changed."""
    name = deliveries[0].source
    rows = lines.where(DATA_ROWS)
    is_good = F.size("reasons") == 0
    good = rows.where(is_good & ~F.col("is_repeat"))
    versions = build_versions(
        job.read(name),
        good.select(*source.map, "is_ended", "extract_date", "delivery_no"),
        source.key,
        source.payload,
        source.extract is Extract.FULL,
        rows.where(~is_good) if has_rejects else None,
    )
    changed = checkpoint(versions)
    job.exchange(name, changed.select(*source.key).distinct(), changed, "true")
    first = min(delivery.delivery_no for delivery in deliveries)
    dates = [F.min("extract_date").alias("first_event_date"), F.max("extract_date").alias("last_event_date")]
    by_delivery = job.read(name).where(F.col("delivery_no") >= first).groupBy("delivery_no").agg(*dates)
    return {row["delivery_no"]: row.asDict() for row in by_delivery.collect()}

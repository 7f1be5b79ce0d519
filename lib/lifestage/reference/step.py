"""Load keyed extracts, before any event is read."""

from collections.abc import Mapping, Sequence
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.core.deliveries import Delivery, find_files, new_deliveries
from lifestage.core.errors import CheckError
from lifestage.core.job import Job
from lifestage.core.ledger import LEDGER, commit_deliveries, read_ledger, roll_back_unfinished
from lifestage.core.pseudonyms import PADS, add_normalised, pseudonym, with_pads, without_pads
from lifestage.core.raw import check_headers, joined_reasons, known_day, listed_reasons, read_raw, typed
from lifestage.core.together import together
from lifestage.reference.config import Extract, ReferenceConfig, ReferenceSource
from lifestage.reference.versions import changed_versions, end_markers

KIND = "reference"


def run(job: Job, config: ReferenceConfig) -> None:
    """Bring every reference table up to date with the extracts that the ledger does not know.

    All are judged before any is written.
    """
    roll_back_unfinished(job, list(config.sources))
    ledger = read_ledger(job.read(LEDGER))
    found = [
        file
        for name, source in config.sources.items()
        for file in find_files(job.spark, name, source, config.landing)
    ]
    deliveries = new_deliveries(job.spark, found, ledger.files, ledger.contents, ledger.last_delivery_no)
    if not deliveries:
        return
    # Read by the counts and by the load: an extract is read once.
    fresh = _fresh(deliveries)
    lines = {name: _mapped(job, config, name, mine).persist() for name, mine in fresh.items()}
    try:
        for name, rows in lines.items():
            check_headers(rows, config.sources, fresh[name])
        counts = together([partial(_counted, _rows(rows)) for rows in lines.values()])
        entries = dict(zip(lines, counts, strict=True))
        _check(entries)
        together([partial(_write, job, name, config.sources[name], rows) for name, rows in lines.items()])
    finally:
        for rows in lines.values():
            rows.unpersist()
    by_number = {number: entry for counted in entries.values() for number, entry in counted.items()}
    commit_deliveries(job, deliveries, KIND, by_number, list(config.sources))


def _fresh(deliveries: Sequence[Delivery]) -> dict[str, list[Delivery]]:
    """Deliveries of new content by source."""
    fresh: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        if delivery.known_as is None:
            fresh.setdefault(delivery.source, []).append(delivery)
    return fresh


def _rows(lines: DataFrame) -> DataFrame:
    return lines.where("NOT is_header").drop("is_header")


def _mapped(job: Job, config: ReferenceConfig, name: str, deliveries: Sequence[Delivery]) -> DataFrame:
    """Rows of one table with extract_date, delivery_no and the reasons against them, and header lines."""
    assert job.secrets is not None
    source = config.sources[name]
    raw = read_raw(job.spark, source, deliveries)
    rows = typed(raw, source, source.time_zone or config.time_zone)
    mapped = with_pads(rows, job.secrets.pseudonym_key).select(
        *[
            F.expr(sql).try_cast(source.types.get(column, "string")).alias(column)
            for column, sql in source.map.items()
        ],
        known_day(F.expr(source.valid_from).try_cast("date")).alias("extract_date"),
        F.col("_delivery_no").alias("delivery_no"),
        F.when(F.col("_broken"), F.lit("malformed")).otherwise(F.col("_faults")).alias("_faults"),
        F.col("_header").alias("is_header"),
        F.lit(False).alias("is_ended"),
        PADS,
    )
    for column, kind in source.identifiers.items():
        mapped = add_normalised(mapped, column, "_normal", config.identifiers[kind])
        mapped = mapped.withColumn(column, pseudonym(kind, F.col("_normal"))).drop("_normal")
    # A broken line has no other reason.
    is_read = F.col("_faults") != "malformed"
    missing = [
        F.when(is_read & F.col(column).isNull(), F.lit(f"missing:{column}"))
        for column in (*source.key, "extract_date")
    ]
    reasons = F.trim(joined_reasons([F.col("_faults"), *missing]), F.lit("\n"))
    return without_pads(mapped).withColumn("reasons", listed_reasons(reasons)).drop("_faults")


def _counted(rows: DataFrame) -> dict[int, Mapping[str, object]]:
    """Rows in, accepted and rejected per delivery; reasons bounded by the declared columns."""
    is_bad = F.size("reasons") > 0
    span = [F.min("extract_date").alias("first"), F.max("extract_date").alias("last")]
    sums = rows.groupBy("delivery_no").agg(F.count("*").alias("n"), F.count_if(is_bad).alias("bad"), *span)
    counts = sums.collect()
    reasons: dict[int, dict[str, int]] = {}
    for row in (
        rows.select("delivery_no", F.explode("reasons").alias("reason"))
        .groupBy("delivery_no", "reason")
        .count()
        .collect()
    ):
        reasons.setdefault(row["delivery_no"], {})[row["reason"]] = row["count"]
    return {
        row["delivery_no"]: {
            "n_rows": row["n"],
            "n_accepted": row["n"] - row["bad"],
            "n_rejected": row["bad"],
            **{f"n_{name}": 0 for name in ("replaced", "superseded", "duplicate", "suppressed")},
            "reasons": dict(sorted(reasons.get(row["delivery_no"], {}).items())),
            "first_event_date": row["first"],
            "last_event_date": row["last"],
        }
        for row in counts
    }


def _check(entries: Mapping[str, Mapping[int, Mapping[str, object]]]) -> None:
    """A reference extract is small and decides about many events: no row of it may be wrong."""
    lines = [
        f"reference {name}: delivery {number}: {entry['reasons']}"
        for name, counted in sorted(entries.items())
        for number, entry in sorted(counted.items())
        if entry["reasons"]
    ]
    if lines:
        raise CheckError("\n".join(lines) + "\nnothing was written; the next run reads these files again")


def _write(job: Job, name: str, source: ReferenceSource, lines: DataFrame) -> None:
    rows = _rows(lines).where(F.size("reasons") == 0).drop("reasons")
    known = job.read(name)
    payload = [column for column in source.map if column not in source.key]
    extracts = rows
    if source.extract is Extract.FULL:
        extracts = rows.unionByName(end_markers(known, rows, source.key, payload))
    changed = changed_versions(known, extracts, source.key, payload)
    job.exchange(name, changed.select(*source.key).distinct(), changed, "true")

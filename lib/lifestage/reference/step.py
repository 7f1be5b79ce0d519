"""Load keyed extracts, before any event is read."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.core.deliveries import Delivery, find_files, new_deliveries
from lifestage.core.errors import CheckError
from lifestage.core.job import Job
from lifestage.core.ledger import LEDGER, commit_deliveries, read_ledger, roll_back_unfinished
from lifestage.core.pseudonyms import PADS, add_normalised, pseudonym, with_pads, without_pads
from lifestage.core.raw import check_headers, joined_reasons, listed_reasons, read_raw, typed
from lifestage.reference.config import Extract, ReferenceConfig, ReferenceSource
from lifestage.reference.versions import changed_versions, end_markers

KIND = "reference"


def run(job: Job, config: ReferenceConfig) -> None:
    """Bring every reference table up to date with the extracts that the ledger does not know."""
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
    entries: dict[int, Mapping[str, object]] = {}
    for name, source in config.sources.items():
        mine = [d for d in deliveries if d.source == name and d.known_as is None]
        if mine:
            entries.update(_load(job, config, name, source, mine))
    commit_deliveries(job, deliveries, KIND, entries, list(config.sources))


def _load(
    job: Job, config: ReferenceConfig, name: str, source: ReferenceSource, deliveries: Sequence[Delivery]
) -> dict[int, Mapping[str, object]]:
    raw = read_raw(job.spark, source, deliveries)
    # Read by the counts and by the load: an extract is read once.
    lines = _mapped(job, config, raw, source).persist()
    try:
        check_headers(lines, config.sources, deliveries)
        rows = lines.where("NOT is_header").drop("is_header")
        entries = _counted(rows)
        _check(name, entries)
        _write(job, name, source, rows.where(F.size("reasons") == 0).drop("reasons"))
        return entries
    finally:
        lines.unpersist()


def _mapped(job: Job, config: ReferenceConfig, raw: DataFrame, source: ReferenceSource) -> DataFrame:
    """Rows of the table with extract_date, delivery_no and the reasons against them."""
    assert job.secrets is not None
    zone = source.time_zone or config.time_zone
    rows = typed(raw, source, zone)
    mapped = with_pads(rows, job.secrets.pseudonym_key).select(
        *[
            F.expr(sql).try_cast(source.types.get(name, "string")).alias(name)
            for name, sql in source.map.items()
        ],
        F.expr(source.valid_from).try_cast("date").alias("extract_date"),
        F.col("_delivery_no").alias("delivery_no"),
        F.when(F.col("_broken"), F.lit("malformed")).otherwise(F.col("_faults")).alias("_faults"),
        F.col("_header").alias("is_header"),
        F.lit(False).alias("is_ended"),
        PADS,
    )
    for name, kind in source.identifiers.items():
        mapped = add_normalised(mapped, name, "_normal", config.identifiers[kind])
        mapped = mapped.withColumn(name, pseudonym(kind, F.col("_normal"))).drop("_normal")
    # A broken line has no other reason.
    is_read = F.col("_faults") != "malformed"
    missing = [
        F.when(is_read & F.col(name).isNull(), F.lit(f"missing:{name}"))
        for name in (*source.key, "extract_date")
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


def _check(name: str, entries: Mapping[int, Mapping[str, object]]) -> None:
    """A reference extract is small and decides about many events: no row of it may be wrong."""
    bad = {number: entry["reasons"] for number, entry in entries.items() if entry["reasons"]}
    if bad:
        lines = [f"reference {name}: delivery {number}: {reasons}" for number, reasons in sorted(bad.items())]
        raise CheckError("\n".join(lines) + "\nnothing was written; the next run reads these files again")


def _write(job: Job, name: str, source: ReferenceSource, rows: DataFrame) -> None:
    known = job.read(name)
    payload = [column for column in source.map if column not in source.key]
    extracts = rows
    if source.extract is Extract.FULL:
        extracts = rows.unionByName(end_markers(known, rows, source.key, payload))
    changed = changed_versions(known, extracts, source.key, payload)
    job.exchange(name, changed.select(*source.key).distinct(), changed, "true")

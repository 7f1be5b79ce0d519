"""Load keyed extracts, before any event is read."""

from collections.abc import Mapping, Sequence
from functools import partial, reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.core.deliveries import Delivery, by_source
from lifestage.core.errors import CheckError
from lifestage.core.job import Job
from lifestage.core.ledger import commit_deliveries, undelivered
from lifestage.core.pseudonyms import PADS, add_normalised, pseudonym, with_pads, without_pads
from lifestage.core.raw import (
    broken_reason,
    check_headers,
    count_reasons,
    joined_reasons,
    known_day,
    listed_reasons,
    read_raw,
    typed,
)
from lifestage.core.together import together
from lifestage.reference.config import Extract, ReferenceConfig, ReferenceSource
from lifestage.reference.versions import told_apart, versions_after
from lifestage.tables.events import REFERENCE

SEVERAL_DATES = "several_dates_in_a_full_extract"


def run(job: Job, config: ReferenceConfig) -> None:
    """Bring every reference table up to date with the extracts that the ledger does not know.

    All are judged before any is written.
    """
    deliveries = undelivered(job, config.sources, config.landing)
    if not deliveries:
        return
    # Read by the counts and by the load: an extract is read once.
    fresh = by_source(deliveries)
    lines = {name: _mapped(job, config, name, mine).persist() for name, mine in fresh.items()}
    try:
        for name, rows in lines.items():
            check_headers(rows, config.sources, fresh[name])
        counts = together([partial(_counted, rows, config.sources[name]) for name, rows in lines.items()])
        _check(dict(zip(lines, counts, strict=True)))
        spans = together(
            [partial(_write, job, config.sources[name], fresh[name], rows) for name, rows in lines.items()]
        )
    finally:
        for rows in lines.values():
            rows.unpersist()
    entries = {
        number: {**entry, **span.get(number, {})}
        for counted, span in zip(counts, spans, strict=True)
        for number, entry in counted.items()
    }
    commit_deliveries(job, deliveries, REFERENCE, entries, list(config.sources))


def _mapped(job: Job, config: ReferenceConfig, name: str, deliveries: Sequence[Delivery]) -> DataFrame:
    """Rows of one table with extract_date, delivery_no and the reasons against them, and header lines."""
    source = config.sources[name]
    raw = read_raw(job.spark, source, deliveries)
    rows = typed(raw, source, source.time_zone or config.time_zone)
    mapped = with_pads(rows, job.keys.pseudonym_key).select(
        *[
            F.expr(sql).try_cast(source.types.get(column, "string")).alias(column)
            for column, sql in source.map.items()
        ],
        known_day(F.expr(source.valid_from).try_cast("date")).alias("extract_date"),
        F.col("_delivery_no").alias("delivery_no"),
        F.when(F.col("_broken"), broken_reason(F.col("_raw"))).otherwise(F.col("_faults")).alias("_faults"),
        "_broken",
        F.col("_header").alias("is_header"),
        F.lit(False).alias("is_ended"),
        PADS,
    )
    for column, kind in source.identifiers.items():
        mapped = add_normalised(mapped, column, "_normal", config.identifiers[kind])
        mapped = mapped.withColumn(column, pseudonym(kind, F.col("_normal"))).drop("_normal")
    payload = [column for column in source.map if column not in source.key]
    rows = told_apart(without_pads(mapped), source.key, payload)
    reasons = joined_reasons([F.col("_faults"), *_reasons(source)])
    return rows.withColumn("reasons", listed_reasons(reasons)).drop("_faults", "_broken", "contradicts")


def _reasons(source: ReferenceSource) -> list[Column]:
    """What is wrong with a row beside its types. A broken line has no other reason."""
    faults = {f"missing:{name}": F.col(name).isNull() for name in (*source.key, "extract_date")}
    has_key = reduce(Column.__and__, [F.col(name).isNotNull() for name in source.key])
    faults[f"contradicts:{','.join(source.key)}"] = has_key & F.col("contradicts")
    return [F.when(~F.col("_broken") & holds, F.lit(reason)) for reason, holds in faults.items()]


def _counted(lines: DataFrame, source: ReferenceSource) -> dict[int, dict[str, object]]:
    """Rows in, accepted, duplicate and rejected per delivery; reasons bounded by the declared columns."""
    rows = lines.where("NOT is_header")
    is_bad = F.size("reasons") > 0
    counts = (
        rows.groupBy("delivery_no")
        .agg(
            F.count("*").alias("n"),
            F.count_if(is_bad).alias("bad"),
            F.count_if(~is_bad & F.col("is_repeat")).alias("repeats"),
            F.count_distinct("extract_date").alias("dates"),
        )
        .collect()
    )
    reasons = count_reasons(rows, "reasons") if any(row["bad"] for row in counts) else {}
    if source.extract is Extract.FULL:
        # Each date of it would be an extract of its own, and end what the others hold.
        for row in counts:
            if row["dates"] > 1:
                reasons.setdefault(row["delivery_no"], {})[SEVERAL_DATES] = row["n"]
    return {
        row["delivery_no"]: {
            "n_rows": row["n"],
            "n_accepted": row["n"] - row["bad"] - row["repeats"],
            "n_duplicate": row["repeats"],
            "n_rejected": row["bad"],
            **{f"n_{name}": 0 for name in ("replaced", "superseded", "suppressed")},
            "reasons": reasons.get(row["delivery_no"], {}),
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
    if any(SEVERAL_DATES in line for line in lines):
        lines.append("a full extract is of one date: where each row has its own, declare `extract: delta`")
    if lines:
        raise CheckError("\n".join(lines) + "\nnothing was written; the next run reads these files again")


def _write(
    job: Job, source: ReferenceSource, deliveries: Sequence[Delivery], lines: DataFrame
) -> dict[int, dict[str, object]]:
    """Put the changed versions in; per delivery, the first and last business date that it changed."""
    name = deliveries[0].source
    rows = lines.where("NOT is_header AND NOT is_repeat").drop("is_header", "is_repeat", "reasons")
    known = job.read(name)
    payload = [column for column in source.map if column not in source.key]
    changed = versions_after(known, rows, source.key, payload, source.extract is Extract.FULL)
    job.exchange(name, changed.select(*source.key).distinct(), changed, "true")
    return _days_changed(job.read(name), deliveries)


def _days_changed(versions: DataFrame, deliveries: Sequence[Delivery]) -> dict[int, dict[str, object]]:
    first = min(delivery.delivery_no for delivery in deliveries)
    days = [F.min("extract_date").alias("first_event_date"), F.max("extract_date").alias("last_event_date")]
    by_delivery = versions.where(F.col("delivery_no") >= first).groupBy("delivery_no").agg(*days)
    return {row["delivery_no"]: row.asDict() for row in by_delivery.collect()}

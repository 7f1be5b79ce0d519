"""Count rows by outcome, and check that no row is lost and that every source passes its gate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.events.resolve import Outcome, RemovalReason, Resolution
from lifestage.ingestion.sources.config import Source
from lifestage.ingestion.sources.gates import GateCounts, describe_gate_failure, raise_gate_failures
from lifestage.ingestion.sources.reasons import count_reasons
from lifestage.platform.errors import CheckError
from lifestage.platform.plurals import count_of


@dataclass(frozen=True)
class DeliveryCounts:
    """Row counts of one delivery: in total, by outcome, by reason and by warning. Also the business dates that it changed.

    `n_skipped` of the rows are no data.
    """

    n_rows: int = 0
    n_skipped: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    n_late: int = 0
    first_event_date: date | None = None
    last_event_date: date | None = None


def count_deliveries(
    arrivals: DataFrame, resolution: Resolution, finality_days: int, time_zone: str
) -> dict[int, DeliveryCounts]:
    """Count the rows of each delivery; the result is bounded by deliveries times rules.

    A row is late if it takes effect more than `finality_days` after its business date. The dates that a delivery changed
    include the earlier dates of corrected events, and the dates of deleted events.

    Args:
        arrivals: The rows that arrived, before they were resolved, with `is_skipped`.
        resolution: The outcomes of these rows.
        finality_days: Days after which a business date is final.
        time_zone: Business time zone.
    """
    rows_in = arrivals.groupBy("delivery_no").agg(
        F.count("*").alias("n"), F.count_if("is_skipped").alias("n_skipped")
    )
    resolved = resolution.arrivals
    sums = {
        row["delivery_no"]: row.asDict()
        for row in _sum_outcomes(resolved, finality_days, time_zone).collect()
    }
    reasons = count_reasons(resolved, "reasons") if any(row["n_faulty"] for row in sums.values()) else {}
    warnings = count_reasons(resolved, "warnings") if any(row["n_warned"] for row in sums.values()) else {}
    removals = _removal_dates(resolution.versions) if resolution.versions is not None else {}
    return {
        number: DeliveryCounts(
            n,
            n_skipped,
            {outcome.value: sums.get(number, {}).get(outcome.value, 0) for outcome in Outcome},
            reasons.get(number, {}),
            warnings.get(number, {}),
            sums.get(number, {}).get("n_late", 0),
            *_date_span(sums.get(number, {}), removals.get(number, {})),
        )
        for number, n, n_skipped in rows_in.collect()
    }


def _sum_outcomes(resolved: DataFrame, finality_days: int, time_zone: str) -> DataFrame:
    """Count rows by outcome and late rows, with the first and last date that changed; one row per delivery."""
    took_effect = F.col("outcome").isin(Outcome.ACCEPTED, Outcome.REPLACED)
    read_on = F.to_date(F.from_utc_timestamp("ingested_at", time_zone))
    is_late = took_effect & (F.date_add("event_date", finality_days) < read_on)
    return resolved.groupBy("delivery_no").agg(
        *[F.count_if(F.col("outcome") == outcome).alias(outcome.value) for outcome in Outcome],
        F.count_if(F.size("reasons") > 0).alias("n_faulty"),
        F.count_if(F.size("warnings") > 0).alias("n_warned"),
        F.count_if(is_late).alias("n_late"),
        F.min(F.when(took_effect, F.col("event_date"))).alias("first"),
        F.max(F.when(took_effect, F.col("event_date"))).alias("last"),
    )


def _removal_dates(versions: DataFrame) -> dict[int, dict[str, Any]]:
    """Return, per delivery, the first and last date of the events it removed: a correction may move an event."""
    removed = versions.where(F.col("reason") != RemovalReason.OUTDATED).groupBy("superseded_by")
    dates = removed.agg(F.min("event_date").alias("first"), F.max("event_date").alias("last"))
    return {row["superseded_by"]: row.asDict() for row in dates.collect()}


def _date_span(*changes: Mapping[str, Any]) -> tuple[date | None, date | None]:
    first = [change["first"] for change in changes if change.get("first")]
    last = [change["last"] for change in changes if change.get("last")]
    return min(first, default=None), max(last, default=None)


def to_ledger_entry(counts: DeliveryCounts) -> dict[str, object]:
    """Convert the counts of a delivery into columns of the ingest ledger."""
    return {
        "n_rows": counts.n_rows,
        **{f"n_{outcome.value}": counts.outcomes.get(outcome, 0) for outcome in Outcome},
        "n_skipped": counts.n_skipped,
        "n_suppressed": 0,
        "n_late": counts.n_late,
        "reasons": dict(counts.reasons),
        "warnings": dict(counts.warnings),
        "first_event_date": counts.first_event_date,
        "last_event_date": counts.last_event_date,
    }


def check_conservation(counts: Mapping[int, DeliveryCounts], sources: Mapping[int, str]) -> None:
    """Check law 4: for each delivery, the rows in equal the sum of their outcomes and the rows that are no data.

    Args:
        counts: Counts by delivery number.
        sources: Source by delivery number.

    Raises:
        CheckError: naming each delivery that lost or gained rows.
    """
    problems = [
        f"{sources[number]}: delivery {number}: {count_of(c.n_rows, 'row')} in, "
        f"{c.n_skipped + sum(c.outcomes.values()):,} accounted for: {dict(c.outcomes)}"
        for number, c in sorted(counts.items())
        if c.n_rows != c.n_skipped + sum(c.outcomes.values())
    ]
    if problems:
        raise CheckError("rows were lost or multiplied, nothing was written:\n" + "\n".join(problems))


def check_gates(
    counts: Mapping[int, DeliveryCounts],
    of_source: Mapping[int, str],
    sources: Mapping[str, Source],
    resolved: DataFrame,
) -> None:
    """Check that every source passes its accuracy gate, counting all its deliveries together.

    Args:
        counts: Counts by delivery number.
        of_source: Source by delivery number.
        sources: Configuration by source.
        resolved: Rows with `source`, `reasons` and `raw`, for examples in the message.

    Raises:
        CheckError: naming each source below its gate (see `describe_gate_failure`).
    """
    by_source = {name: GateCounts() for name in sorted(set(of_source.values()))}
    for number, c in counts.items():
        n_duplicate, n_rejected = (c.outcomes.get(name, 0) for name in (Outcome.DUPLICATE, Outcome.REJECTED))
        by_source[of_source[number]].add(c.n_rows - c.n_skipped - n_duplicate, n_rejected, c.reasons)
    failures = [
        describe_gate_failure(
            f"source {name}", sources[name].gate, gate_counts, resolved.where(F.col("source") == name)
        )
        for name, gate_counts in by_source.items()
    ]
    raise_gate_failures([line for lines in failures for line in lines])

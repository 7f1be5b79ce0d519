"""The books of a run: what became of every row, per delivery, and whether a source is fit to go on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.events.resolve import Left, Outcome, Resolution
from lifestage.ingestion.sources.config import Source
from lifestage.ingestion.sources.gates import Received, gate_failure, stop
from lifestage.ingestion.sources.readers import count_reasons
from lifestage.platform.errors import CheckError


@dataclass(frozen=True)
class Tally:
    """The rows of one delivery."""

    n_rows: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    n_late: int = 0
    first_event_date: date | None = None
    last_event_date: date | None = None


def tally(
    arrivals: DataFrame, resolution: Resolution, finality_days: int, time_zone: str
) -> dict[int, Tally]:
    """Per delivery: rows in, rows by outcome, reason and warning, and the days changed; bounded by deliveries x rules."""
    judged = resolution.judged
    rows_in = {
        row["delivery_no"]: row["n"]
        for row in arrivals.groupBy("delivery_no").agg(F.count("*").alias("n")).collect()
    }
    sums = {row["delivery_no"]: row.asDict() for row in _sums(judged, finality_days, time_zone).collect()}
    has_faults = any(row["n_faulty"] for row in sums.values())
    reasons = count_reasons(judged, "reasons") if has_faults else {}
    warnings = count_reasons(judged, "warnings") if any(row["n_warned"] for row in sums.values()) else {}
    left = _days_left(resolution.versions) if resolution.versions is not None else {}
    return {
        number: Tally(
            n,
            {outcome.value: sums.get(number, {}).get(outcome.value, 0) for outcome in Outcome},
            reasons.get(number, {}),
            warnings.get(number, {}),
            sums.get(number, {}).get("n_late", 0),
            *_span(sums.get(number, {}), left.get(number, {})),
        )
        for number, n in rows_in.items()
    }


def _days_left(versions: DataFrame) -> dict[int, dict[str, Any]]:
    """Per delivery, the first and last day that a row left because of it: a correction may move it to another."""
    left = versions.where(F.col("reason") != Left.OUTDATED).groupBy("superseded_by")
    days = left.agg(F.min("event_date").alias("first"), F.max("event_date").alias("last"))
    return {row["superseded_by"]: row.asDict() for row in days.collect()}


def _span(*changes: Mapping[str, Any]) -> tuple[date | None, date | None]:
    first = [change["first"] for change in changes if change.get("first")]
    last = [change["last"] for change in changes if change.get("last")]
    return min(first, default=None), max(last, default=None)


def _sums(judged: DataFrame, finality_days: int, time_zone: str) -> DataFrame:
    """Per delivery: rows by outcome, late rows, first and last day among the rows that changed something."""
    took_effect = F.col("outcome").isin(Outcome.ACCEPTED, Outcome.REPLACED)
    read_on = F.to_date(F.from_utc_timestamp("ingested_at", time_zone))
    is_late = took_effect & (F.date_add("event_date", finality_days) < read_on)
    return judged.groupBy("delivery_no").agg(
        *[F.count_if(F.col("outcome") == outcome).alias(outcome.value) for outcome in Outcome],
        F.count_if(F.size("reasons") > 0).alias("n_faulty"),
        F.count_if(F.size("warnings") > 0).alias("n_warned"),
        F.count_if(is_late).alias("n_late"),
        F.min(F.when(took_effect, F.col("event_date"))).alias("first"),
        F.max(F.when(took_effect, F.col("event_date"))).alias("last"),
    )


def ledger_entry(tally_: Tally) -> dict[str, object]:
    """A delivery's tally as columns of the ledger."""
    counts = {f"n_{outcome.value}": tally_.outcomes.get(outcome, 0) for outcome in Outcome}
    return {
        "n_rows": tally_.n_rows,
        **counts,
        "n_suppressed": 0,
        "n_late": tally_.n_late,
        "reasons": dict(tally_.reasons),
        "warnings": dict(tally_.warnings),
        "first_event_date": tally_.first_event_date,
        "last_event_date": tally_.last_event_date,
    }


def check_conservation(tallies: Mapping[int, Tally], sources: Mapping[int, str]) -> None:
    """Law 4: rows in equal the sum of their outcomes, for each delivery."""
    lost = [
        f"{sources[number]}: delivery {number}: {t.n_rows} rows in, {sum(t.outcomes.values())} accounted for: {dict(t.outcomes)}"
        for number, t in sorted(tallies.items())
        if t.n_rows != sum(t.outcomes.values())
    ]
    if lost:
        raise CheckError("rows were lost or multiplied, nothing was written:\n" + "\n".join(lost))


def check_gates(
    tallies: Mapping[int, Tally],
    of_source: Mapping[int, str],
    sources: Mapping[str, Source],
    judged: DataFrame,
) -> None:
    """CheckError naming each source below its accuracy gate (see gate_failure)."""
    received = {name: Received() for name in sorted(set(of_source.values()))}
    for number, t in tallies.items():
        n_duplicate, n_rejected = (t.outcomes.get(name, 0) for name in (Outcome.DUPLICATE, Outcome.REJECTED))
        received[of_source[number]].add(t.n_rows - n_duplicate, n_rejected, t.reasons)
    failures = [
        gate_failure(f"source {name}", sources[name].gate, mine, judged.where(F.col("source") == name))
        for name, mine in received.items()
    ]
    stop([line for lines in failures for line in lines])

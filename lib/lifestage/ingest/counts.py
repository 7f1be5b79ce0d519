"""The books of a run: what became of every row, per delivery, and whether a source is fit to go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.core.errors import CheckError
from lifestage.ingest.config import Source
from lifestage.ingest.resolve import Outcome

N_EXAMPLES = 3


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


def tally(arrivals: DataFrame, judged: DataFrame, finality_days: int, time_zone: str) -> dict[int, Tally]:
    """Per delivery: rows in, and rows by outcome, reason and warning; four aggregates bounded by deliveries x rules."""
    rows_in = {row["delivery_no"]: row["n"] for row in arrivals.groupBy("delivery_no").agg(F.count("*").alias("n")).collect()}
    outcomes = _by(judged, F.col("outcome"))
    reasons = _by(judged.where(F.size("reasons") > 0), F.explode("reasons"))
    warnings = _by(judged.where(F.size("warnings") > 0), F.explode("warnings"))
    spans = _spans(judged, finality_days, time_zone)
    return {
        number: Tally(n, outcomes.get(number, {}), reasons.get(number, {}), warnings.get(number, {}), *spans.get(number, (0, None, None)))
        for number, n in rows_in.items()
    }


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


def _by(rows: DataFrame, what: Column) -> dict[int, dict[str, int]]:
    result: dict[int, dict[str, int]] = {}
    for row in rows.select("delivery_no", what.alias("what")).groupBy("delivery_no", "what").count().collect():
        result.setdefault(row["delivery_no"], {})[row["what"]] = row["count"]
    return result


def _spans(judged: DataFrame, finality_days: int, time_zone: str) -> dict[int, tuple[int, date, date]]:
    """Late rows, first and last day among the rows that changed something."""
    took_effect = judged.where(F.col("outcome").isin(Outcome.ACCEPTED, Outcome.REPLACED))
    read_on = F.to_date(F.from_utc_timestamp("ingested_at", time_zone))
    late = F.count_if(F.date_add("event_date", finality_days) < read_on)
    spans = took_effect.groupBy("delivery_no").agg(
        late.alias("n_late"), F.min("event_date").alias("first"), F.max("event_date").alias("last")
    )
    return {row["delivery_no"]: (row["n_late"], row["first"], row["last"]) for row in spans.collect()}


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
    tallies: Mapping[int, Tally], of_source: Mapping[int, str], sources: Mapping[str, Source], judged: DataFrame
) -> None:
    """CheckError naming each source below its accuracy gate: which rule failed how often, with masked examples.

    Accuracy = rows that pass every rule of severity error / rows received, duplicates apart.
    """
    failures = []
    for name in sorted(set(of_source.values())):
        mine = [t for number, t in tallies.items() if of_source[number] == name]
        failures += _failure(name, sources[name].gate, mine, judged)
    if failures:
        raise CheckError("\n".join(failures) + "\nnothing was written; the next run reads these files again")


def _failure(name: str, gate: float, tallies: Sequence[Tally], judged: DataFrame) -> list[str]:
    rejected = sum(t.outcomes.get(Outcome.REJECTED, 0) for t in tallies)
    received = sum(t.n_rows - t.outcomes.get(Outcome.DUPLICATE, 0) for t in tallies)
    # A whole number of rows decides, so that 95 of 100 passes a gate of 0.95.
    if received == 0 or received - rejected >= round(gate * received, 6):
        return []
    reasons: dict[str, int] = {}
    for t in tallies:
        for reason, n in t.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + n
    share = (received - rejected) / received
    lines = [f"source {name}: {share:.1%} of {received} rows pass, the gate is {gate:.1%}"]
    for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        lines.append(f"  {reason}: {n} rows, e.g. {'; '.join(_examples(judged, name, reason))}")
    return lines


def _examples(judged: DataFrame, name: str, reason: str) -> list[str]:
    """Raw rows with letters as x and digits as 9: their shape shows the fault, not the person."""
    rows = judged.where((F.col("source") == name) & F.array_contains("reasons", reason))
    masked = F.regexp_replace(F.regexp_replace(F.substring("raw", 1, 120), r"\p{L}", "x"), r"\d", "9")
    shapes = rows.select(masked.alias("shape")).distinct().orderBy("shape").limit(N_EXAMPLES)
    return [row["shape"] for row in shapes.collect()]

from datetime import date

import pytest
from pyspark.sql import types as T

from ingestion.events.builders import ARRIVALS, INSIDE, LATER, arrivals, row
from lifestage.ingestion.events.counts import Tally, check_conservation, check_gates, ledger_entry, tally
from lifestage.ingestion.events.resolve import Resolution
from lifestage.ingestion.sources.config import Source
from lifestage.platform.errors import CheckError

EARLIER = date(2024, 2, 29)

NO_AMOUNT, NO_TIME = "rule:has_amount", "missing:event_at"
OUTCOMES = ("accepted", "replaced", "superseded", "duplicate", "rejected")


def judged_row(outcome, delivery=1, day=INSIDE, reasons=(), warnings=(), raw=None, source="plain"):
    return {
        **row(source, delivery=delivery, day=day, reasons=reasons, raw=raw, warnings=list(warnings)),
        "outcome": outcome,
    }


def judged(spark, rows):
    schema = T.StructType([*ARRIVALS.fields, T.StructField("outcome", T.StringType())])
    return spark.createDataFrame([tuple(item.get(name) for name in schema.names) for item in rows], schema)


def tallied(spark, rows, versions=None, finality_days=3, time_zone="America/New_York"):
    decided = judged(spark, rows)
    resolution = Resolution(decided, removed=None, versions=versions)
    return tally(arrivals(spark, rows), resolution, finality_days, time_zone)


def source(**changes):
    described = {"path": "x", "format": "csv", "columns": {"a": "string"}, "key": ["a"], "map": {}, **changes}
    return Source.model_validate(described)


def counted(accepted, rejected, duplicate=0, **reasons):
    outcomes = {
        **dict.fromkeys(OUTCOMES, 0),
        "accepted": accepted,
        "rejected": rejected,
        "duplicate": duplicate,
    }
    return Tally(n_rows=accepted + rejected + duplicate, outcomes=outcomes, reasons=reasons)


def gate(spark, tallies, rows=(), **sources):
    of_source = dict.fromkeys(tallies, "plain")
    check_gates(tallies, of_source, sources or {"plain": source()}, judged(spark, rows))


def test_the_days_that_rows_left_are_days_that_a_delivery_changed(spark):
    left = "superseded_by bigint, event_date date, reason string"
    versions = spark.createDataFrame(
        [(2, date(2025, 12, 1), "corrected"), (2, date(2025, 1, 1), "outdated"), (3, EARLIER, "deleted")],
        left,
    )
    rows = [judged_row("accepted", delivery=number, day=INSIDE) for number in (1, 2, 3)]
    tallies = tallied(spark, rows, versions)
    spans = {number: (found.first_event_date, found.last_event_date) for number, found in tallies.items()}
    assert spans == {1: (INSIDE, INSIDE), 2: (date(2025, 12, 1), INSIDE), 3: (EARLIER, INSIDE)}


def test_rows_are_counted_by_outcome_reason_and_warning_for_each_delivery(spark):
    rows = [
        judged_row("accepted", day=INSIDE),
        judged_row("accepted", day=LATER, warnings=["rule:a", "rule:b"]),
        judged_row("rejected", day=date(2020, 1, 1), reasons=[NO_AMOUNT, NO_TIME]),
        judged_row("rejected", reasons=[NO_TIME]),
        judged_row("duplicate", delivery=2, day=date(2026, 1, 1)),
        judged_row("replaced", delivery=2, day=LATER),
        judged_row("superseded", delivery=2, day=date(2026, 1, 1)),
    ]
    tallies = tallied(spark, rows)
    assert sorted(tallies) == [1, 2]
    assert ledger_entry(tallies[1]) == {
        "n_rows": 4,
        "n_accepted": 2,
        "n_replaced": 0,
        "n_superseded": 0,
        "n_duplicate": 0,
        "n_rejected": 2,
        "n_suppressed": 0,
        "n_late": 2,
        "reasons": {NO_AMOUNT: 1, NO_TIME: 2},
        "warnings": {"rule:a": 1, "rule:b": 1},
        "first_event_date": INSIDE,
        "last_event_date": LATER,
    }
    assert tallies[2].outcomes == {
        "accepted": 0,
        "replaced": 1,
        "superseded": 1,
        "duplicate": 1,
        "rejected": 0,
    }
    assert (tallies[2].first_event_date, tallies[2].last_event_date) == (LATER, LATER)


@pytest.mark.parametrize(
    ("finality_days", "zone", "n_late"), [(8, "UTC", 0), (7, "UTC", 1), (7, "America/New_York", 0)]
)
def test_a_row_is_late_once_its_day_was_final_where_the_business_is(spark, finality_days, zone, n_late):
    """Read at midnight UTC of 21 April, which in New York is still the 20th; the row is of 13 April."""
    rows = [judged_row("accepted", day=date(2026, 4, 13))]
    found = tallied(spark, rows, finality_days=finality_days, time_zone=zone)
    assert found[1].n_late == n_late


def test_rows_lost_or_multiplied_stop_the_run_naming_source_and_delivery():
    sound, lost = counted(3, 1), Tally(n_rows=5, outcomes={"accepted": 3, "rejected": 1})
    check_conservation({1: sound}, {1: "till"})
    with pytest.raises(CheckError) as refused:
        check_conservation(
            {1: sound, 2: lost, 3: Tally(n_rows=0, outcomes={"accepted": 1})}, {1: "a", 2: "b", 3: "c"}
        )
    lines = str(refused.value).splitlines()
    assert lines[0] == "rows were lost or multiplied, nothing was written:"
    assert [line.partition(" accounted")[0] for line in lines[1:]] == [
        "b: delivery 2: 5 rows in, 4",
        "c: delivery 3: 0 rows in, 1",
    ]


def test_95_of_100_pass_a_gate_of_95_percent_and_94_do_not(spark):
    gate(spark, {1: counted(95, 5)})
    with pytest.raises(CheckError, match=r"source plain: 94\.0% of 100 rows pass, the gate is 95%"):
        gate(spark, {1: counted(94, 6)})


def test_duplicates_are_no_failures_and_no_successes(spark):
    gate(spark, {1: counted(0, 0, duplicate=9)})
    with pytest.raises(CheckError, match=r"90\.0% of 10 rows"):
        gate(spark, {1: counted(9, 1, duplicate=1000)})


def test_deliveries_of_a_source_are_one_and_every_source_below_its_gate_is_named(spark):
    tallies = {1: counted(1, 9), 2: counted(99, 1), 3: counted(1, 1), 4: counted(1, 1)}
    of_source = {1: "a", 2: "a", 3: "b", 4: "c"}
    sources = {"a": source(gate=0.9), "b": source(), "c": source(gate=0.5)}
    with pytest.raises(CheckError) as refused:
        check_gates(tallies, of_source, sources, judged(spark, []))
    lines = [line for line in str(refused.value).splitlines() if line.startswith("source")]
    assert lines == ["source b: 50.0% of 2 rows pass, the gate is 95%"]


def test_the_message_says_which_rule_how_often_with_three_masked_examples(spark):
    texts = ["r1,Anna,1.50", "r2,Jörg,2.75", "r33,Bo,x", "r444,Bo,x", "r5,Bo,xx"]
    rows = [judged_row("rejected", reasons=[NO_AMOUNT], raw=text) for text in texts]
    rows += [judged_row("rejected", reasons=[NO_AMOUNT], raw="other", source="strict")]
    with pytest.raises(CheckError) as refused:
        gate(spark, {1: counted(1, 6, **{NO_AMOUNT: 5, NO_TIME: 1})}, rows)
    first, amount, time, last = str(refused.value).splitlines()
    assert first.startswith("source plain: 14.3% of 7 rows")
    assert amount == f"  {NO_AMOUNT}: 5 rows, e.g. x9,xx,xx; x9,xxxx,9.99; x99,xx,x"
    assert time.startswith(f"  {NO_TIME}: 1 rows")
    assert last == "nothing was written; the next run reads these files again"

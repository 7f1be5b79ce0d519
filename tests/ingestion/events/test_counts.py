from datetime import date

import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from ingestion.events.builders import ARRIVALS, INSIDE, LATER, arrivals, row
from lifestage.ingestion.events.counts import (
    DeliveryCounts,
    check_conservation,
    check_gates,
    count_deliveries,
    to_ledger_entry,
)
from lifestage.ingestion.events.resolve import Resolution
from lifestage.ingestion.sources.config import Source
from lifestage.platform.errors import CheckError

EARLIER = date(2024, 2, 29)

NO_AMOUNT, NO_TIME = "rule:has_amount", "missing:event_at"
OUTCOMES = ("accepted", "replaced", "superseded", "duplicate", "rejected")


def resolved_row(outcome, delivery=1, day=INSIDE, reasons=(), warnings=(), raw=None, source="plain"):
    return {
        **row(source, delivery=delivery, day=day, reasons=reasons, raw=raw, warnings=list(warnings)),
        "outcome": outcome,
    }


def resolved_rows(spark, rows):
    schema = T.StructType([*ARRIVALS.fields, T.StructField("outcome", T.StringType())])
    return spark.createDataFrame([tuple(item.get(name) for name in schema.names) for item in rows], schema)


def count(spark, rows, versions=None, skipped=(), finality_days=3, time_zone="America/New_York"):
    decided = resolved_rows(spark, rows)
    resolution = Resolution(decided, removed=None, versions=versions)
    # Rows that are no data arrive, but are not resolved.
    arrived = arrivals(spark, rows).withColumn("is_skipped", F.lit(False))
    arrived = arrived.unionByName(arrivals(spark, skipped).withColumn("is_skipped", F.lit(True)))
    return count_deliveries(arrived, resolution, finality_days, time_zone)


def source(**changes):
    described = {"path": "x", "format": "csv", "columns": {"a": "string"}, "key": ["a"], "map": {}, **changes}
    return Source.model_validate(described)


def counts(accepted, rejected, duplicate=0, **reasons):
    outcomes = {
        **dict.fromkeys(OUTCOMES, 0),
        "accepted": accepted,
        "rejected": rejected,
        "duplicate": duplicate,
    }
    return DeliveryCounts(n_rows=accepted + rejected + duplicate, outcomes=outcomes, reasons=reasons)


def check_gate(spark, counts_by_delivery, rows=(), **sources):
    of_source = dict.fromkeys(counts_by_delivery, "plain")
    check_gates(counts_by_delivery, of_source, sources or {"plain": source()}, resolved_rows(spark, rows))


def test_the_dates_that_a_delivery_changed_include_those_of_removed_events(spark):
    left = "superseded_by bigint, event_date date, reason string"
    versions = spark.createDataFrame(
        [(2, date(2025, 12, 1), "corrected"), (2, date(2025, 1, 1), "outdated"), (3, EARLIER, "deleted")],
        left,
    )
    rows = [resolved_row("accepted", delivery=number, day=INSIDE) for number in (1, 2, 3)]
    counts_by_delivery = count(spark, rows, versions)
    spans = {
        number: (found.first_event_date, found.last_event_date)
        for number, found in counts_by_delivery.items()
    }
    assert spans == {1: (INSIDE, INSIDE), 2: (date(2025, 12, 1), INSIDE), 3: (EARLIER, INSIDE)}


def test_rows_are_counted_by_outcome_reason_and_warning_for_each_delivery(spark):
    rows = [
        resolved_row("accepted", day=INSIDE),
        resolved_row("accepted", day=LATER, warnings=["rule:a", "rule:b"]),
        resolved_row("rejected", day=date(2020, 1, 1), reasons=[NO_AMOUNT, NO_TIME]),
        resolved_row("rejected", reasons=[NO_TIME]),
        resolved_row("duplicate", delivery=2, day=date(2026, 1, 1)),
        resolved_row("replaced", delivery=2, day=LATER),
        resolved_row("superseded", delivery=2, day=date(2026, 1, 1)),
    ]
    counts_by_delivery = count(spark, rows, skipped=[resolved_row(None), resolved_row(None)])
    assert sorted(counts_by_delivery) == [1, 2]
    assert to_ledger_entry(counts_by_delivery[1]) == {
        "n_rows": 6,
        "n_accepted": 2,
        "n_replaced": 0,
        "n_superseded": 0,
        "n_duplicate": 0,
        "n_rejected": 2,
        "n_skipped": 2,
        "n_suppressed": 0,
        "n_late": 2,
        "reasons": {NO_AMOUNT: 1, NO_TIME: 2},
        "warnings": {"rule:a": 1, "rule:b": 1},
        "first_event_date": INSIDE,
        "last_event_date": LATER,
    }
    assert counts_by_delivery[2].outcomes == {
        "accepted": 0,
        "replaced": 1,
        "superseded": 1,
        "duplicate": 1,
        "rejected": 0,
    }
    assert (counts_by_delivery[2].first_event_date, counts_by_delivery[2].last_event_date) == (LATER, LATER)


@pytest.mark.parametrize(
    ("finality_days", "zone", "n_late"), [(8, "UTC", 0), (7, "UTC", 1), (7, "America/New_York", 0)]
)
def test_a_row_is_late_if_its_date_was_final_in_the_business_time_zone(spark, finality_days, zone, n_late):
    """The row of 13 April is read at midnight UTC of 21 April, which is still 20 April in New York."""
    rows = [resolved_row("accepted", day=date(2026, 4, 13))]
    found = count(spark, rows, finality_days=finality_days, time_zone=zone)
    assert found[1].n_late == n_late


def test_rows_lost_or_multiplied_stop_the_run_naming_source_and_delivery():
    sound, lost = counts(3, 1), DeliveryCounts(n_rows=5, outcomes={"accepted": 3, "rejected": 1})
    check_conservation({1: sound}, {1: "till"})
    with pytest.raises(CheckError) as refused:
        check_conservation(
            {1: sound, 2: lost, 3: DeliveryCounts(n_rows=0, outcomes={"accepted": 1})},
            {1: "a", 2: "b", 3: "c"},
        )
    lines = str(refused.value).splitlines()
    assert lines[0] == "rows were lost or multiplied, nothing was written:"
    assert [line.partition(" accounted")[0] for line in lines[1:]] == [
        "b: delivery 2: 5 rows in, 4",
        "c: delivery 3: 0 rows in, 1",
    ]


def test_95_of_100_rows_pass_a_gate_of_95_percent_and_94_do_not(spark):
    check_gate(spark, {1: counts(95, 5)})
    with pytest.raises(CheckError, match=r"source plain: 94\.0% of 100 rows pass, the gate is 95%"):
        check_gate(spark, {1: counts(94, 6)})


def test_duplicates_do_not_count_towards_the_gate(spark):
    check_gate(spark, {1: counts(0, 0, duplicate=9)})
    with pytest.raises(CheckError, match=r"90\.0% of 10 rows"):
        check_gate(spark, {1: counts(9, 1, duplicate=1000)})


def test_the_gate_counts_all_deliveries_of_a_source_and_every_failing_source_is_named(spark):
    counts_by_delivery = {1: counts(1, 9), 2: counts(99, 1), 3: counts(1, 1), 4: counts(1, 1)}
    of_source = {1: "a", 2: "a", 3: "b", 4: "c"}
    sources = {"a": source(gate=0.9), "b": source(), "c": source(gate=0.5)}
    with pytest.raises(CheckError) as refused:
        check_gates(counts_by_delivery, of_source, sources, resolved_rows(spark, []))
    lines = [line for line in str(refused.value).splitlines() if line.startswith("source")]
    assert lines == ["source b: 50.0% of 2 rows pass, the gate is 95%"]


def test_the_message_lists_each_rule_with_its_count_and_three_masked_examples(spark):
    texts = ["r1,Anna,1.50", "r2,Jörg,2.75", "r33,Bo,x", "r444,Bo,x", "r5,Bo,xx"]
    rows = [resolved_row("rejected", reasons=[NO_AMOUNT], raw=text) for text in texts]
    rows += [resolved_row("rejected", reasons=[NO_AMOUNT], raw="other", source="strict")]
    with pytest.raises(CheckError) as refused:
        check_gate(spark, {1: counts(1, 6, **{NO_AMOUNT: 5, NO_TIME: 1})}, rows)
    first, amount, time, last = str(refused.value).splitlines()
    assert first.startswith("source plain: 14.3% of 7 rows")
    assert amount == f"  {NO_AMOUNT}: 5 rows, e.g. x9,xx,xx; x9,xxxx,9.99; x99,xx,x"
    assert time.startswith(f"  {NO_TIME}: 1 row")
    assert last == "nothing was written; the next run reads these files again"

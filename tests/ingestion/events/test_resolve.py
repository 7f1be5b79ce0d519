"""Known answers: every situation is a key of its own, all are judged in one run."""

import pytest
from pyspark.sql import functions as F

from ingestion.events.builders import INSIDE, LATER, Books, after, arrivals, empty_books, resolved, row
from lifestage.ingestion.events.tables import EVENTS
from support.frames import assert_frames, assert_rows, shuffled

# Known before, one row each.
KNOWN = [
    row("plain", "known", amount=1),
    row("strict", "known", amount=1),
    row("versioned", "known", version=2, amount=1),
    row("versioned", "known and moved", version=2),
]
ARRIVING = [
    # A key counts once, whatever its values: the lowest delivery, never the last row.
    row("plain", "twice", delivery=3, amount=2),
    row("plain", "twice", delivery=2, amount=3),
    row("plain", "known", delivery=2, amount=9),
    row("plain", "two days", delivery=2, day=INSIDE),
    row("plain", "two days", delivery=2, day=LATER),
    row("plain", "two sources", delivery=2),
    row("strict", "two sources", delivery=2),
    row("plain", "faulty first", delivery=2, reasons=["missing:event_at"]),
    row("plain", "faulty first", delivery=3),
    row("plain", "tie", delivery=2, amount=1),
    row("plain", "tie", delivery=2, amount=2),
    row("plain", "tie", delivery=2, amount=3),
    # Within one delivery a delete comes after the row, whatever the line.
    row("deletable", "one delivery", delivery=2, is_delete=True),
    row("deletable", "one delivery", delivery=2),
    # A source that rejects changes.
    row("strict", "known", delivery=2, amount=1),
    row("strict", "known", delivery=3, amount=2),
    row("strict", "new", delivery=2, amount=1),
    row("strict", "new", delivery=3, amount=2),
    row("strict", "new", delivery=4, amount=1),
    # Versions: the highest wins in whatever order they come.
    row("versioned", "any order", delivery=2, version=2),
    row("versioned", "any order", delivery=3, version=1),
    row("versioned", "any order", delivery=4, version=3),
    row("versioned", "one delivery", delivery=2, version=7),
    row("versioned", "one delivery", delivery=2, version=5),
    row("versioned", "known", delivery=2, version=3, amount=5),
    row("versioned", "known", delivery=3, version=3, amount=6),
    row("versioned", "known", delivery=4, version=1, amount=7),
    row("versioned", "known", delivery=4, version=1, amount=8),
    row("versioned", "known and moved", delivery=2, version=3, day=LATER),
]


@pytest.fixture(scope="module")
def books(spark_session):
    return after(known_books(spark_session), arrivals(spark_session, ARRIVING))


def known_books(spark):
    return Books(arrivals(spark, KNOWN).select(*EVENTS.names), empty_books(spark).versions)


def judged(books, source, key):
    mine = (F.col("source") == source) & (F.col("event_id") == key)
    return books.judged.where(mine).select("delivery_no", "version", "outcome", "stays", "reasons")


def test_the_first_delivery_of_a_key_counts(books):
    assert_rows(
        judged(books, "plain", "twice"), [(2, None, "accepted", True, []), (3, None, "duplicate", False, [])]
    )


def test_of_equal_deliveries_one_row_counts_and_a_delete_comes_last(books):
    rows = judged(books, "plain", "tie").groupBy("outcome", "stays").count()
    assert_rows(rows, [("accepted", True, 1), ("duplicate", False, 2)])
    expected = [(2, None, "accepted", False, []), (2, None, "replaced", False, [])]
    assert_rows(judged(books, "deletable", "one delivery"), expected)


def test_a_known_key_is_a_duplicate_whatever_its_values(books):
    assert_rows(judged(books, "plain", "known"), [(2, None, "duplicate", False, [])])


def test_without_looking_back_a_key_is_of_its_day_and_its_source(books):
    assert_rows(judged(books, "plain", "two days"), [(2, None, "accepted", True, [])] * 2)
    assert_rows(judged(books, "plain", "two sources"), [(2, None, "accepted", True, [])])
    assert_rows(judged(books, "strict", "two sources"), [(2, None, "accepted", True, [])])


def test_a_faulty_row_takes_no_key(books):
    expected = [(2, None, "rejected", False, ["missing:event_at"]), (3, None, "accepted", True, [])]
    assert_rows(judged(books, "plain", "faulty first"), expected)


def test_a_change_is_rejected_where_the_source_says_so_and_an_equal_row_is_a_duplicate(books):
    changed = (3, None, "rejected", False, ["changed_without_version"])
    assert_rows(judged(books, "strict", "known"), [(2, None, "duplicate", False, []), changed])
    expected = [(2, None, "accepted", True, []), changed, (4, None, "duplicate", False, [])]
    assert_rows(judged(books, "strict", "new"), expected)


def test_the_highest_version_wins_in_any_order(books):
    assert_rows(
        judged(books, "versioned", "any order"),
        [(2, 2, "accepted", False, []), (3, 1, "superseded", False, []), (4, 3, "replaced", True, [])],
    )
    one_delivery = [(2, 5, "accepted", False, []), (2, 7, "replaced", True, [])]
    assert_rows(judged(books, "versioned", "one delivery"), one_delivery)


def test_a_known_row_gives_way_to_a_higher_version_and_to_no_other(books):
    expected = [
        (2, 3, "replaced", True, []),
        (3, 3, "duplicate", False, []),
        (4, 1, "superseded", False, []),
        (4, 1, "duplicate", False, []),
    ]
    assert_rows(judged(books, "versioned", "known"), expected)


def test_a_correction_may_move_the_day(books):
    moved = books.events.where("event_id = 'known and moved'").select("event_date", "event_month", "version")
    assert_rows(moved, [(LATER, LATER.replace(day=1), 3)])


def test_every_row_that_had_to_go_is_kept_with_the_one_that_took_its_place(books):
    columns = ["event_id", "version", "reason", "superseded_by", "superseded_by_version"]
    at_its_time = F.datediff("superseded_at", F.lit("2026-04-20")) == F.col("superseded_by")
    assert books.versions.where(~at_its_time).isEmpty()
    assert_rows(
        books.versions.select(*columns),
        [
            ("one delivery", None, "deleted", 2, None),
            ("any order", 2, "corrected", 4, 3),
            ("any order", 1, "outdated", 3, 2),
            ("one delivery", 5, "corrected", 2, 7),
            ("known", 2, "corrected", 2, 3),
            ("known", 1, "outdated", 4, 3),
            ("known and moved", 2, "corrected", 2, 3),
        ],
    )


def test_each_arriving_row_is_judged_once(books):
    per_delivery = books.judged.groupBy("delivery_no").count()
    numbers = [item["delivery_no"] for item in ARRIVING]
    assert_rows(per_delivery, [(number, numbers.count(number)) for number in sorted(set(numbers))])


def test_row_order_and_partitions_change_nothing(spark, books):
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    try:
        arriving = shuffled(arrivals(spark, reversed(ARRIVING)), 3)
        other = resolved(Books(shuffled(known_books(spark).events), books.versions.limit(0)), arriving)
        assert_frames(other.judged, books.judged)
        assert_frames(other.versions, books.versions)
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", "1")


def test_rows_that_meet_no_other_leave_what_is_known_alone(spark, books):
    """Also a key known on two days, as when `lookback_days` was raised: it waits for a row of its own."""
    twice = [row("versioned", "twice", day=INSIDE), row("versioned", "twice", day=LATER)]
    known = Books(arrivals(spark, twice).select(*EVENTS.names), books.versions.limit(0))
    arriving = [row("versioned", "other", version=1), row("plain", "twice")]
    resolution = resolved(known, arrivals(spark, arriving))
    assert (resolution.removed, resolution.versions) == (None, None)
    assert_rows(resolution.judged.select("outcome", "stays"), [("accepted", True)] * 2)


def test_nothing_arrives_and_nothing_changes(spark, books):
    assert resolved(books, arrivals(spark, [])).judged.isEmpty()

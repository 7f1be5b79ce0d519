"""Known answers: each situation has its own key, and all are resolved in one run."""

import pytest
from pyspark.sql import functions as F

from ingestion.events.builders import INSIDE, LATER, Books, apply, arrivals, empty_books, resolve_against, row
from lifestage.ingestion.events.tables import EVENTS
from support.frames import assert_frames, assert_rows, shuffled

# Known before, one row each.
KNOWN = [
    row("plain", "known", amount=1),
    row("strict", "known", amount=1),
    row("versioned", "known", version=2, amount=1),
    row("list", "known", amount=1),
    row("versioned", "known and moved", version=2),
]
ARRIVING = [
    # A key counts once: the lowest delivery wins, whatever the values.
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
    # Within one delivery, a delete comes after the row in any line order.
    row("deletable", "one delivery", delivery=2, is_delete=True),
    row("deletable", "one delivery", delivery=2),
    # A source that rejects changes.
    row("strict", "known", delivery=2, amount=1),
    row("strict", "known", delivery=3, amount=2),
    row("strict", "new", delivery=2, amount=1),
    row("strict", "new", delivery=3, amount=2),
    row("strict", "new", delivery=4, amount=1),
    # The highest version wins in any order of arrival.
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
    # Each file is the whole list: the row of the latest one counts.
    row("list", "known", delivery=2, amount=1),
    row("list", "known", delivery=3, amount=2),
    row("list", "known", delivery=4, amount=2, day=LATER),
    row("list", "known", delivery=5, amount=2, day=LATER),
    row("list", "back", delivery=2, amount=1),
    row("list", "back", delivery=3, amount=2),
    row("list", "back", delivery=4, amount=1),
    row("list", "twice in one", delivery=2, amount=1),
    row("list", "twice in one", delivery=2, amount=2),
    row("list", "twice in one", delivery=3, amount=2),
    row("list", "twice in one", delivery=3, amount=1),
]


@pytest.fixture(scope="module")
def books(spark_session):
    return apply(known_books(spark_session), arrivals(spark_session, ARRIVING))


def known_books(spark):
    return Books(arrivals(spark, KNOWN).select(*EVENTS.names), empty_books(spark).versions)


def outcomes_of(books, source, key):
    mine = (F.col("source") == source) & (F.col("event_id") == key)
    return books.arrivals.where(mine).select("delivery_no", "version", "outcome", "stays", "reasons")


def test_the_first_delivery_of_a_key_counts(books):
    assert_rows(
        outcomes_of(books, "plain", "twice"),
        [(2, None, "accepted", True, []), (3, None, "duplicate", False, [])],
    )


def test_only_one_of_several_equal_rows_in_a_delivery_counts_and_a_delete_comes_last(books):
    rows = outcomes_of(books, "plain", "tie").groupBy("outcome", "stays").count()
    assert_rows(rows, [("accepted", True, 1), ("duplicate", False, 2)])
    expected = [(2, None, "accepted", False, []), (2, None, "replaced", False, [])]
    assert_rows(outcomes_of(books, "deletable", "one delivery"), expected)


def test_a_known_key_is_a_duplicate_whatever_its_values(books):
    assert_rows(outcomes_of(books, "plain", "known"), [(2, None, "duplicate", False, [])])


def test_without_a_window_a_key_belongs_to_its_date_and_source(books):
    assert_rows(outcomes_of(books, "plain", "two days"), [(2, None, "accepted", True, [])] * 2)
    assert_rows(outcomes_of(books, "plain", "two sources"), [(2, None, "accepted", True, [])])
    assert_rows(outcomes_of(books, "strict", "two sources"), [(2, None, "accepted", True, [])])


def test_a_faulty_row_does_not_occupy_its_key(books):
    expected = [(2, None, "rejected", False, ["missing:event_at"]), (3, None, "accepted", True, [])]
    assert_rows(outcomes_of(books, "plain", "faulty first"), expected)


def test_a_source_may_reject_changes_and_equal_rows_stay_duplicates(books):
    changed = (3, None, "rejected", False, ["changed_without_version"])
    assert_rows(outcomes_of(books, "strict", "known"), [(2, None, "duplicate", False, []), changed])
    expected = [(2, None, "accepted", True, []), changed, (4, None, "duplicate", False, [])]
    assert_rows(outcomes_of(books, "strict", "new"), expected)


def test_the_highest_version_wins_in_any_order(books):
    assert_rows(
        outcomes_of(books, "versioned", "any order"),
        [(2, 2, "accepted", False, []), (3, 1, "superseded", False, []), (4, 3, "replaced", True, [])],
    )
    one_delivery = [(2, 5, "accepted", False, []), (2, 7, "replaced", True, [])]
    assert_rows(outcomes_of(books, "versioned", "one delivery"), one_delivery)


def test_only_a_higher_version_replaces_a_known_row(books):
    expected = [
        (2, 3, "replaced", True, []),
        (3, 3, "duplicate", False, []),
        (4, 1, "superseded", False, []),
        (4, 1, "duplicate", False, []),
    ]
    assert_rows(outcomes_of(books, "versioned", "known"), expected)


def test_of_whole_lists_the_row_of_the_latest_one_counts(books):
    expected = [
        (2, None, "duplicate", False, []),
        (3, None, "replaced", False, []),
        (4, None, "replaced", True, []),
        (5, None, "duplicate", False, []),
    ]
    assert_rows(outcomes_of(books, "list", "known"), expected)
    moved = books.events.where("source = 'list' AND event_id = 'known'").select("event_date", "amount")
    assert_rows(moved, [(LATER, 2)])
    back = [
        (2, None, "accepted", False, []),
        (3, None, "replaced", False, []),
        (4, None, "replaced", True, []),
    ]
    assert_rows(outcomes_of(books, "list", "back"), back)


def test_a_list_that_is_delivered_again_changes_nothing_even_if_a_key_is_in_it_twice(books):
    rows = outcomes_of(books, "list", "twice in one").groupBy("delivery_no", "outcome", "stays").count()
    expected = [(2, "accepted", True, 1), (2, "duplicate", False, 1), (3, "duplicate", False, 2)]
    assert_rows(rows, expected)


def test_a_correction_can_move_an_event_to_another_day(books):
    moved = books.events.where("event_id = 'known and moved'").select("event_date", "event_month", "version")
    assert_rows(moved, [(LATER, LATER.replace(day=1), 3)])


def test_every_replaced_row_is_kept_with_its_successor(books):
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
            *[(key, None, "corrected", delivery, None) for key in ("known", "back") for delivery in (3, 4)],
        ],
    )


def test_each_arriving_row_has_one_outcome(books):
    per_delivery = books.arrivals.groupBy("delivery_no").count()
    numbers = [item["delivery_no"] for item in ARRIVING]
    assert_rows(per_delivery, [(number, numbers.count(number)) for number in sorted(set(numbers))])


def test_row_order_and_partitions_change_nothing(spark, books):
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    try:
        rows = shuffled(arrivals(spark, reversed(ARRIVING)), 3)
        other = resolve_against(Books(shuffled(known_books(spark).events), books.versions.limit(0)), rows)
        assert_frames(other.arrivals, books.arrivals)
        assert_frames(other.versions, books.versions)
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", "1")


def test_rows_without_a_contest_leave_known_events_alone(spark, books):
    """That includes a key known on two dates, as after `lookback_days` was raised."""
    twice = [row("versioned", "twice", day=INSIDE), row("versioned", "twice", day=LATER)]
    known = Books(arrivals(spark, twice).select(*EVENTS.names), books.versions.limit(0))
    rows = [row("versioned", "other", version=1), row("plain", "twice")]
    resolution = resolve_against(known, arrivals(spark, rows))
    assert (resolution.removed, resolution.versions) == (None, None)
    assert_rows(resolution.arrivals.select("outcome", "stays"), [("accepted", True)] * 2)


def test_no_arrivals_change_nothing(spark, books):
    assert resolve_against(books, arrivals(spark, [])).arrivals.isEmpty()

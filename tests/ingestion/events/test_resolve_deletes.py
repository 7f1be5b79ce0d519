"""Deletes and the window: each situation has its own key, delivery by delivery."""

from datetime import timedelta

import pytest
from pyspark.sql import functions as F

from ingestion.events.builders import BEFORE, WINDOW_START, apply, arrivals, empty_books, row
from support.frames import assert_rows

ACCEPTED, REPLACED, DUPLICATE = ("accepted", []), ("replaced", []), ("duplicate", [])
SUPERSEDED, TOO_LATE = ("superseded", []), ("rejected", ["correction_too_late"])
CHANGED = ("rejected", ["changed_without_version"])


def insert(version=None, amount=1, **changes):
    return {"version": version, "amount": amount, **changes}


def delete(version=None, **changes):
    return {"version": version, "is_delete": True, **changes}


# Situation: source, deliveries 1, 2, ... of one row each with their outcomes, and the amount that remains.
SITUATIONS = {
    "row, delete": ("deletable", [(insert(), ACCEPTED), (delete(), REPLACED)], None),
    "row, delete, row": (
        "deletable",
        [(insert(amount=1), ACCEPTED), (delete(), REPLACED), (insert(amount=2), ACCEPTED)],
        2,
    ),
    "row, row, delete, delete": (
        "deletable",
        [(insert(), ACCEPTED), (insert(), DUPLICATE), (delete(), REPLACED), (delete(), DUPLICATE)],
        None,
    ),
    "delete, row": ("deletable", [(delete(), TOO_LATE), (insert(amount=3), ACCEPTED)], 3),
    "delete on another day": (
        "deletable",
        [(insert(), ACCEPTED), (delete(day=WINDOW_START), REPLACED)],
        None,
    ),
    "strict: compared with what is there": (
        "strict_deletable",
        [
            (insert(amount=1), ACCEPTED),
            (insert(amount=2), CHANGED),
            (delete(), REPLACED),
            (insert(amount=2), ACCEPTED),
            (insert(amount=2), DUPLICATE),
            (insert(amount=1), CHANGED),
        ],
        2,
    ),
    "versions: row, delete, old row, new row": (
        "versioned",
        [(insert(1), ACCEPTED), (delete(2), REPLACED), (insert(1), SUPERSEDED), (insert(3, 5), ACCEPTED)],
        5,
    ),
    "versions: equal and lower deletes": (
        "versioned",
        [(insert(2, 4), ACCEPTED), (delete(2), DUPLICATE), (delete(1), SUPERSEDED), (insert(3, 6), REPLACED)],
        6,
    ),
    "versions: a delete outranks a delete": (
        "versioned",
        [(insert(1), ACCEPTED), (delete(2), REPLACED), (delete(5), REPLACED), (insert(4), SUPERSEDED)],
        None,
    ),
    "versions: revived above the higher delete": (
        "versioned",
        [(insert(1), ACCEPTED), (delete(2), REPLACED), (delete(5), REPLACED), (insert(6, 7), ACCEPTED)],
        7,
    ),
    "versions: delete, row": ("versioned", [(delete(9), TOO_LATE), (insert(1, 2), ACCEPTED)], 2),
    "before the window: versions": (
        "versioned",
        [
            (insert(2, 1, day=BEFORE), ACCEPTED),
            (insert(3, 2, day=BEFORE), TOO_LATE),
            (insert(3, 2, day=BEFORE), TOO_LATE),
            (insert(2, 1, day=BEFORE), DUPLICATE),
            (insert(1, 3, day=BEFORE), SUPERSEDED),
            (delete(4, day=BEFORE), TOO_LATE),
        ],
        1,
    ),
    "before the window: without versions": (
        "deletable",
        [
            (insert(amount=1, day=BEFORE), ACCEPTED),
            (delete(day=BEFORE), TOO_LATE),
            (insert(amount=2, day=BEFORE), DUPLICATE),
            (delete(day=BEFORE), TOO_LATE),
        ],
        1,
    ),
    "the window's first day is inside, the day before is not": (
        "versioned",
        [(insert(1, 1, day=WINDOW_START), ACCEPTED), (insert(2, 2, day=WINDOW_START), REPLACED)],
        2,
    ),
    "the day before the window": (
        "versioned",
        [
            (insert(1, 1, day=WINDOW_START - timedelta(days=1)), ACCEPTED),
            (insert(2, 2, day=WINDOW_START - timedelta(days=1)), TOO_LATE),
        ],
        1,
    ),
    "without looking back there is no window": (
        "strict",
        [(insert(amount=1, day=BEFORE), ACCEPTED), (insert(amount=2, day=BEFORE), CHANGED)],
        1,
    ),
}


def rows_of(deliveries, suffix=""):
    """Return the rows of every situation that belong to the given deliveries."""
    return [
        row(f"{source}{suffix}", key, delivery=number, **columns)
        for key, (source, steps, _) in SITUATIONS.items()
        for number, (columns, _) in enumerate(steps, start=1)
        if number in deliveries
    ]


@pytest.fixture(scope="module")
def books(spark_session):
    """Return the tables after all deliveries in one run and, under other sources, in two runs."""
    first = apply(empty_books(spark_session), arrivals(spark_session, rows_of({1, 2}, "-twice")))
    rest = arrivals(spark_session, rows_of({1, 2, 3, 4, 5, 6}) + rows_of({3, 4, 5, 6}, "-twice"))
    second = apply(first, rest)
    return first.__class__(second.events, second.versions, second.arrivals.unionByName(first.arrivals))


@pytest.mark.parametrize("suffix", ["", "-twice"], ids=["one run", "two runs"])
def test_each_situation_has_its_outcomes(books, suffix):
    expected = [
        (key, number, *outcome)
        for key, (_, steps, _) in SITUATIONS.items()
        for number, (_, outcome) in enumerate(steps, start=1)
    ]
    mine = books.arrivals.where(F.col("source").endswith("-twice") == (suffix != ""))
    assert_rows(mine.select("event_id", "delivery_no", "outcome", "reasons"), expected)


@pytest.mark.parametrize("suffix", ["", "-twice"], ids=["one run", "two runs"])
def test_each_situation_leaves_its_amount(books, suffix):
    expected = [(key, amount) for key, (_, _, amount) in SITUATIONS.items() if amount is not None]
    mine = books.events.where(F.col("source").endswith("-twice") == (suffix != ""))
    assert_rows(mine.select("event_id", "amount"), expected)


def test_deleted_rows_are_kept_with_the_version_that_deleted_them(books):
    deleted = books.versions.where(
        "reason = 'deleted' AND source = 'versioned' AND event_id LIKE '%outranks%'"
    )
    columns = ["version", "superseded_by", "superseded_by_version", "delivery_no"]
    assert_rows(deleted.select(*columns), [(1, 2, 2, 1), (5, 3, 5, 3)])


def test_each_key_has_at_most_one_row_at_any_time(books):
    """Rows of events and event_versions cover each point in time of a key at most once."""
    spans = books.versions.select("source", "event_id", "ingested_at", F.col("superseded_at").alias("until"))
    spans = spans.unionByName(
        books.events.select(
            "source", "event_id", "ingested_at", F.lit("9999-12-31").cast("timestamp").alias("until")
        )
    )
    spans = spans.where("ingested_at < until")
    first, second = spans.alias("a"), spans.withColumn("other", F.lit(1)).alias("b")
    same_key = (F.col("a.source") == F.col("b.source")) & (F.col("a.event_id") == F.col("b.event_id"))
    overlap = (F.col("a.ingested_at") < F.col("b.until")) & (F.col("b.ingested_at") < F.col("a.until"))
    different = (F.col("a.ingested_at") != F.col("b.ingested_at")) | (F.col("a.until") != F.col("b.until"))
    assert first.join(second, on=same_key & overlap & different, how="inner").isEmpty()

"""Known answers: each situation is a product in three full extracts, of 1, 5 and 9 March."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from ingestion.reference.builders import (
    EXTRACT,
    KEY,
    PAYLOAD,
    PRODUCTS,
    Extract,
    day,
    extract,
    no_products,
    one_by_one,
    read,
    versions,
)
from lifestage.ingestion.reference.versions import build_end_markers, flag_repeats
from lifestage.platform.storage.contracts import conform
from support.frames import assert_frames, assert_rows

THREE = [
    extract(1, 1, same="A", changes="A", ends="A", returns="A", back="A", empty=None, twice="A"),
    Extract(
        2,
        5,
        (
            ("same", "A"),
            ("changes", "B"),
            ("new", "A"),
            ("back", "B"),
            ("empty", "A"),
            ("twice", "X"),
            ("twice", "Y"),
        ),
    ),
    extract(3, 9, same="A", changes="B", returns="B", new="A", back="A", empty=None, twice="A"),
]


@pytest.fixture(scope="module")
def products(spark_session):
    return one_by_one(no_products(spark_session), THREE)


def test_equal_extracts_are_one_version_and_a_change_begins_another(products):
    assert_rows(versions(products, "same"), [("same", "A", 0, 0, 1)])
    assert_rows(versions(products, "changes"), [("changes", "A", 0, 5, 1), ("changes", "B", 5, 0, 2)])


def test_the_first_version_covers_all_earlier_days(products):
    assert_rows(versions(products, "new"), [("new", "A", 0, 0, 2)])


def test_a_key_missing_from_a_full_extract_ends_and_may_return(products):
    assert_rows(versions(products, "ends"), [("ends", "A", 0, 5, 1), ("ends", "-", 5, 0, 2)])
    expected = [("returns", "A", 0, 5, 1), ("returns", "-", 5, 9, 2), ("returns", "B", 9, 0, 3)]
    assert_rows(versions(products, "returns"), expected)


def test_an_earlier_value_may_return_and_null_is_a_value(products):
    assert_rows(
        versions(products, "back"), [("back", "A", 0, 5, 1), ("back", "B", 5, 9, 2), ("back", "A", 9, 0, 3)]
    )
    expected = [("empty", None, 0, 5, 1), ("empty", "A", 5, 9, 2), ("empty", None, 9, 0, 3)]
    assert_rows(versions(products, "empty"), expected)


def test_only_one_of_two_contradictory_rows_counts(products):
    found = versions(products, "twice").where("category <> 'A'").select("from", "to", "delivery_no")
    assert_rows(found, [(5, 9, 2)])


def test_extracts_in_one_run_give_the_same_as_one_by_one(spark, products):
    together = read(no_products(spark), THREE, partitions=5)
    assert_frames(conform(together, PRODUCTS), products)
    two_runs = read(read(no_products(spark), THREE[:1]), THREE[1:])
    assert_frames(two_runs, products)


def test_an_extract_without_changes_changes_nothing(spark, products):  # noqa: ARG001
    assert_frames(read(products, [Extract(4, 12, THREE[2].rows)]), products)


def test_a_late_row_is_valid_until_the_next_known_one(spark):
    known = one_by_one(no_products(spark), [extract(1, 3, a="A", b="A"), extract(2, 9, a="C")], is_full=False)
    late = read(known, [extract(3, 5, a="B", b="A"), extract(4, 1, b="Z")], is_full=False)
    assert_rows(versions(late, "a"), [("a", "A", 0, 5, 1), ("a", "B", 5, 9, 3), ("a", "C", 9, 0, 2)])
    assert_rows(versions(late, "b"), [("b", "Z", 0, 3, 4), ("b", "A", 3, 0, 1)])


def test_a_late_extract_gives_the_same_as_one_in_time(spark):
    """The file of 5 March arrives after that of 9 March, with keys that are new, change, and change again."""
    first = extract(1, 1, changes="A", again="A", stays="A")
    missed = extract(2, 5, changes="B", again="B", new="A")
    last = extract(3, 9, again="C", new="B", newest="A")
    in_time = one_by_one(no_products(spark), [first, missed, last], is_full=False)
    late = one_by_one(no_products(spark), [first, last, missed], is_full=False)
    assert_frames(late, in_time)
    assert_rows(
        versions(late, "again", "new"),
        [
            ("again", "A", 0, 5, 1),
            ("again", "B", 5, 9, 2),
            ("again", "C", 9, 0, 3),
            ("new", "A", 0, 9, 2),
            ("new", "B", 9, 0, 3),
        ],
    )


def test_a_late_row_with_the_values_of_the_first_version_moves_its_date_back(spark):
    known = read(no_products(spark), [extract(1, 5, a="A", b="A")], is_full=False)
    late = read(known, [extract(2, 3, a="A", b="B")], is_full=False)
    assert_rows(late.where("id = 'a'").select("category", "extract_date", "delivery_no"), [("A", day(3), 2)])
    assert_frames(
        late, read(no_products(spark), [extract(1, 5, a="A", b="A"), extract(2, 3, a="A", b="B")], False)
    )
    again = read(late, [extract(3, 4, a="A")], is_full=False)
    assert_frames(again, late)


# Each day is delivered after all later ones, and one of them twice; `-` is a key that the extract leaves out.
LATEST_FIRST = (8, 6, 6, 4, 2)
said_backwards = st.lists(st.sampled_from("AB-"), min_size=len(LATEST_FIRST), max_size=len(LATEST_FIRST))


@settings(
    max_examples=1, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(histories=st.lists(said_backwards, min_size=60, max_size=60))
def test_extracts_that_come_latest_first_give_the_same_as_together(spark_session, histories):
    extracts = [
        Extract(n + 1, on, tuple((f"k{k}", said[n]) for k, said in enumerate(histories) if said[n] != "-"))
        for n, on in enumerate(LATEST_FIRST)
    ]
    apart = one_by_one(no_products(spark_session), extracts, is_full=False)
    assert_frames(apart, read(no_products(spark_session), extracts, is_full=False, partitions=3))


def test_a_delta_extract_ends_no_key(spark):
    known = one_by_one(no_products(spark), [extract(1, 1, a="A", b="A"), extract(2, 5, a="B")], is_full=False)
    assert_rows(versions(known, "b"), [("b", "A", 0, 0, 1)])


def test_a_corrected_extract_of_the_same_date_wins_and_marks_the_days_it_changed(spark):
    """A version that is valid again after another was withdrawn carries the delivery that withdrew it."""
    first, wrong = extract(1, 1, back="A", other="A", same="A"), extract(2, 5, back="B", other="B", same="B")
    corrected = extract(3, 5, back="A", other="C", same="B")
    expected = [
        ("back", "A", 0, 0, 3),
        ("other", "A", 0, 5, 1),
        ("other", "C", 5, 0, 3),
        ("same", "A", 0, 5, 1),
        ("same", "B", 5, 0, 2),
    ]
    assert_rows(versions(one_by_one(no_products(spark), [first, wrong, corrected])), expected)
    assert_rows(versions(read(no_products(spark), [first, wrong, corrected])), expected)


ROWS = "delivery_no bigint, id string, extract_date date, category string, is_ended boolean, reasons array<string>, is_skipped boolean"


def flag(spark, rows, partitions=1):
    """Flag rows of (delivery, id, day, category, reasons); return (delivery, id, category, is_repeat, reasons)."""
    frame = spark.createDataFrame(
        [(n, id_, day(on), said, False, why, False) for n, id_, on, said, why in rows], ROWS
    )
    found = flag_repeats(frame.repartition(partitions), KEY, PAYLOAD)
    return found.select("delivery_no", "id", "category", "is_repeat", "reasons")


def test_a_row_that_is_no_data_contradicts_no_other(spark):
    rows = [(1, "total", day(1), said, False, [], said == "sum") for said in ("A", "sum")]
    found = flag_repeats(spark.createDataFrame(rows, ROWS), KEY, PAYLOAD)
    assert_rows(found.select("category", "is_repeat", "reasons"), [("A", False, []), ("sum", False, [])])


def test_rows_of_one_delivery_key_and_date_repeat_or_contradict_each_other(spark):
    rows = [
        (1, "same", 1, "A", []), (1, "same", 1, "A", []),
        (1, "two", 1, "A", []), (1, "two", 1, None, []),
        (1, "dates", 1, "A", []), (1, "dates", 2, "B", []),
        (1, "files", 1, "A", []), (2, "files", 1, "B", []),
        (1, "wrong", 1, "A", []), (1, "wrong", 1, "B", ["x"]), (1, "wrong", 1, "C", ["x"]),
        (1, None, 1, "A", ["missing:id"]), (1, None, 1, "B", ["missing:id"]),
    ]  # fmt: skip
    contradicts = ["contradicts:id"]
    expected = [
        (1, "same", "A", False, []), (1, "same", "A", True, []),
        (1, "two", None, False, contradicts), (1, "two", "A", True, contradicts),
        (1, "dates", "A", False, []), (1, "dates", "B", False, []),
        (1, "files", "A", False, []), (2, "files", "B", False, []),
        (1, "wrong", "A", False, []), (1, "wrong", "B", False, ["x"]), (1, "wrong", "C", True, ["x"]),
        (1, None, "A", False, ["missing:id"]), (1, None, "B", True, ["missing:id"]),
    ]  # fmt: skip
    of_good = flag(spark, rows).where("size(reasons) = 0")
    assert_rows(of_good, [row for row in expected if not row[4]])
    reasons = flag(spark, rows).select("delivery_no", "id", "category", "reasons")
    assert_rows(reasons, [(*row[:3], row[4]) for row in expected])
    assert_frames(flag(spark, rows[::-1], partitions=5), flag(spark, rows))
    assert flag(spark, []).isEmpty()


def test_the_later_of_two_full_extracts_of_one_date_decides(spark):
    extracts = [extract(1, 1, a="A", b="B"), extract(2, 5, a="A", b="C", c="C"), extract(3, 5, a="A")]
    apart = one_by_one(no_products(spark), extracts)
    assert_rows(versions(apart, "b"), [("b", "B", 0, 5, 1), ("b", "-", 5, 0, 3)])
    assert_frames(read(no_products(spark), extracts), apart)


def rejected_rows(spark, *rows):
    """Build rejected rows from (delivery, id, day or None, whether the line could be parsed)."""
    values = [(n, id_, on and day(on), not is_read) for n, id_, on, is_read in rows]
    return spark.createDataFrame(values, "delivery_no bigint, id string, extract_date date, _broken boolean")


def ended_keys(spark, *rejections):
    """Return the keys that a full extract of 5 March ends. Of a, b and c it holds a, and some rows are rejected."""
    known = one_by_one(no_products(spark), [extract(1, 1, a="A", b="A", c="A")])
    good = spark.createDataFrame([("a", "A", day(5), 2, False)], EXTRACT)
    found = build_end_markers(known, good, KEY, PAYLOAD, rejected_rows(spark, *rejections))
    return sorted((row["id"], row["extract_date"].day, row["delivery_no"]) for row in found.collect())


@pytest.mark.slow
def test_a_key_in_a_rejected_row_does_not_end_whatever_the_date(spark):
    both = [("b", 5, 2), ("c", 5, 2)]
    assert ended_keys(spark) == both
    assert ended_keys(spark, (2, "b", 5, True)) == both[1:]
    assert ended_keys(spark, (2, "b", None, True), (2, "c", 7, True)) == []
    assert ended_keys(spark, (2, None, 5, True)) == both
    assert ended_keys(spark, (2, None, None, False)) == []
    # Another file, of another date.
    assert ended_keys(spark, (3, "b", 7, True), (3, None, 7, False)) == both


days = st.lists(st.sampled_from("AB-"), min_size=4, max_size=4)


@settings(
    max_examples=2, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(histories=st.lists(days, min_size=40, max_size=60))
def test_each_day_has_the_content_of_the_last_extract_up_to_it(spark_session, histories):
    """Full extracts of 2, 4, 6 and 8 March, read in two runs; the first version also covers earlier days."""
    extracts = [
        Extract(
            n, 2 * n, tuple((f"k{k}", said[n - 1]) for k, said in enumerate(histories) if said[n - 1] != "-")
        )
        for n in (1, 2, 3, 4)
    ]
    table = read(read(no_products(spark_session), extracts[:2]), extracts[2:], partitions=3)
    dates = spark_session.range(1, 10).select(
        F.date_add(F.lit("2026-03-01"), F.col("id").cast("int") - 1).alias("day")
    )
    holds = (F.col("valid_from") <= F.col("day")) & (F.col("day") < F.col("valid_to")) & ~F.col("is_ended")
    found = table.join(dates, on=holds, how="inner").select(
        "id", F.dayofmonth("day").alias("day"), "category"
    )
    expected = [
        (f"k{k}", number, content)
        for k, said in enumerate(histories)
        for number in range(1, 10)
        if (content := _expected_on(said, number)) != "-"
    ]
    assert_rows(found, expected)
    starts = table.where(F.col("valid_from") >= F.col("valid_to") - timedelta(days=0))
    assert starts.isEmpty()


def _expected_on(said, number):
    """Return the expected content of a key on a day, from its extracts."""
    first = next((n for n, content in enumerate(said) if content != "-"), None)
    return "-" if first is None else said[max(first, number // 2 - 1)]

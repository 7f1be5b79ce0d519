"""Normalised texts, and the current records of a table."""

from datetime import date

import pyarrow as pa
import pytest

from lifestage.users.matching.config import ComparisonKind, Records
from lifestage.users.matching.records import normalise_texts, to_current_records
from support.frames import assert_rows, shuffled

END, NEVER = date(9999, 12, 31), date(1, 1, 1)


def normalise(text, kind, placeholders=("unknown", "00000")):
    return normalise_texts(pa.array([text]), kind, placeholders).to_pylist()[0]


@pytest.mark.parametrize(
    ("text", "kind", "normal"),
    [
        ("  Müller-Lüdenscheidt ", ComparisonKind.NAME, "muller ludenscheidt"),
        ("O'Neill", ComparisonKind.NAME, "o neill"),
        ("Große Straße 12a", ComparisonKind.TEXT, "grosse strasse 12a"),
        ("1980-05-17", ComparisonKind.DATE, "19800517"),
        ("D-10 115", ComparisonKind.CODE, "d10115"),
        ("Ünknown", ComparisonKind.NAME, None),
        ("00 000", ComparisonKind.CODE, None),
        (" . ", ComparisonKind.NAME, None),
        (None, ComparisonKind.NAME, None),
        ("李 娜", ComparisonKind.NAME, "李 娜"),
    ],
)
def test_normalised_texts(text, kind, normal):
    assert normalise(text, kind) == normal


@pytest.fixture
def versions(spark):
    rows = [
        ("m1", "a", 1, False, date(2026, 3, 5)),
        ("m1", "b", 5, False, END),
        # Changed and changed back: dated by the first time.
        ("m2", "c", 1, False, date(2026, 3, 2)),
        ("m2", "d", 2, False, date(2026, 3, 3)),
        ("m2", "c", 3, False, END),
        # Left.
        ("m3", "e", 1, False, date(2026, 3, 4)),
        ("m3", None, 4, True, END),
        (None, "f", 1, False, END),
    ]
    return spark.createDataFrame(
        [(member, name, date(2026, 3, day), ended, to) for member, name, day, ended, to in rows],
        "member string, last_name string, extract_date date, is_ended boolean, valid_to date",
    )


def test_a_record_has_the_current_values_since_their_first_date(versions):
    records = Records(identifier="member", columns={"surname": "last_name"})
    expected = [("m1", "b", date(2026, 3, 5)), ("m2", "c", date(2026, 3, 1))]
    assert_rows(to_current_records(versions, records), expected)
    assert_rows(to_current_records(shuffled(versions), records), expected)
    assert_rows(to_current_records(versions.where("false"), records), [])

"""What is compared of a text, and which rows of a table are records."""

from datetime import date

import pyarrow as pa
import pytest

from lifestage.users.matching.config import Kind, Records
from lifestage.users.matching.records import normalised, said_now
from support.frames import assert_rows, shuffled

END, NEVER = date(9999, 12, 31), date(1, 1, 1)


def one(text, kind, placeholders=("unknown", "00000")):
    return normalised(pa.array([text]), kind, placeholders).to_pylist()[0]


@pytest.mark.parametrize(
    ("text", "kind", "normal"),
    [
        ("  Müller-Lüdenscheidt ", Kind.NAME, "muller ludenscheidt"),
        ("O'Neill", Kind.NAME, "o neill"),
        ("Große Straße 12a", Kind.TEXT, "grosse strasse 12a"),
        ("1980-05-17", Kind.DATE, "19800517"),
        ("D-10 115", Kind.CODE, "d10115"),
        ("Ünknown", Kind.NAME, None),
        ("00 000", Kind.CODE, None),
        (" . ", Kind.NAME, None),
        (None, Kind.NAME, None),
        ("李 娜", Kind.NAME, "李 娜"),
    ],
)
def test_what_is_compared_of_a_text(text, kind, normal):
    assert one(text, kind) == normal


@pytest.fixture
def versions(spark):
    rows = [
        ("m1", "a", 1, False, date(2026, 3, 5)),
        ("m1", "b", 5, False, END),
        # Moved, and back: known from the first day on.
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


def test_a_record_is_what_is_said_now_since_it_was_first_said(versions):
    records = Records(identifier="member", columns={"surname": "last_name"})
    expected = [("m1", "b", date(2026, 3, 5)), ("m2", "c", date(2026, 3, 1))]
    assert_rows(said_now(versions, records), expected)
    assert_rows(said_now(shuffled(versions), records), expected)
    assert_rows(said_now(versions.where("false"), records), [])

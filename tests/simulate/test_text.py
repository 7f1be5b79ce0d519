"""Columns to lines: what is written can be read again."""

import csv
import io
import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifestage.simulate import text

CENTS = st.integers(-(10**12), 10**12)
WORDS = st.text(alphabet="abc äöü-", min_size=1, max_size=8)


@given(st.lists(CENTS, min_size=1))
def test_amounts_are_exact(cents):
    found = text.money(np.array(cents, np.int64)).to_pylist()
    assert [Decimal(amount) for amount in found] == [Decimal(n) / 100 for n in cents]


def test_no_amount_is_no_text():
    assert text.money(np.array([np.iinfo(np.int64).min, -5, 0])).to_pylist() == [None, "-0.05", "0.00"]


@given(st.lists(st.tuples(WORDS, st.none() | WORDS, st.none() | st.integers(-5, 5)), min_size=1))
def test_objects_can_be_read_again_without_what_is_unknown(rows):
    names, others, numbers = (pa.array(column) for column in zip(*rows, strict=True))
    lines = text.json_lines({"a": names, "b": others.cast(pa.string()), "c": numbers.cast(pa.int64())})
    found = [json.loads(line) for line in text.octets_of(lines).decode().splitlines()]
    expected = [{"a": a, "b": b, "c": c} for a, b, c in rows]
    assert found == [{name: value for name, value in row.items() if value is not None} for row in expected]


@given(st.lists(st.tuples(WORDS, st.none() | WORDS), min_size=1))
def test_lines_can_be_read_again(rows):
    first, second = (pa.array(column, pa.string()) for column in zip(*rows, strict=True))
    octets = text.octets_of(text.csv_lines({"a": first, "b": second}))
    found = [*csv.reader(io.StringIO(octets.decode()))]
    assert found == [[a, b or ""] for a, b in rows]


def test_a_part_of_an_array_has_its_own_bytes():
    whole = pa.array(["one", "two", "three"])
    assert text.octets_of(whole.slice(1, 1)) == b"two\n"
    assert text.octets_of(whole.slice(3)) == b""


def test_bare_numbers_have_no_quotes():
    columns = {"a": pa.array(["x"]), "b": pa.array(["1.50"])}
    assert text.json_lines(columns, ("b",)).to_pylist() == ['{"a":"x","b":1.50}']


@pytest.mark.parametrize("n", [10_000])
def test_different_parts_have_different_numbers(n):
    found = text.mixed(7, 1, np.arange(n), 0)
    others = text.mixed(7, 2, np.arange(n), 0)
    assert len({*found.tolist(), *others.tolist()}) == 2 * n
    assert (text.mixed(7, 1, np.arange(n), 0) == found).all()


def test_numbers_are_written_as_they_are_said():
    assert text.hexes(np.array([255], np.uint64)).to_pylist() == ["00000000000000ff"]
    assert text.padded(np.array([7]), 3).to_pylist() == ["007"]
    assert text.instants(np.array([0])).to_pylist() == ["1970-01-01T00:00:00Z"]
    assert text.whole(np.array([1, np.iinfo(np.int32).min], np.int32)).to_pylist() == [1, None]
    assert text.chosen(["a", "b"], np.array([1, -1], np.int8)).to_pylist() == ["b", None]

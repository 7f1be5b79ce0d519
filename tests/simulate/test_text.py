"""Formatted lines can be read back."""

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
    found = text.format_money(np.array(cents, np.int64)).to_pylist()
    assert [Decimal(amount) for amount in found] == [Decimal(n) / 100 for n in cents]


def test_a_missing_amount_is_null():
    assert text.format_money(np.array([np.iinfo(np.int64).min, -5, 0])).to_pylist() == [None, "-0.05", "0.00"]


@given(st.lists(st.tuples(WORDS, st.none() | WORDS, st.none() | st.integers(-5, 5)), min_size=1))
def test_objects_can_be_read_back_without_null_values(rows):
    names, others, numbers = (pa.array(column) for column in zip(*rows, strict=True))
    lines = text.to_json_lines({"a": names, "b": others.cast(pa.string()), "c": numbers.cast(pa.int64())})
    found = [json.loads(line) for line in text.encode_lines(lines).decode().splitlines()]
    expected = [{"a": a, "b": b, "c": c} for a, b, c in rows]
    assert found == [{name: value for name, value in row.items() if value is not None} for row in expected]


@given(st.lists(st.tuples(WORDS, st.none() | WORDS), min_size=1))
def test_lines_can_be_read_back(rows):
    first, second = (pa.array(column, pa.string()) for column in zip(*rows, strict=True))
    octets = text.encode_lines(text.to_csv_lines({"a": first, "b": second}))
    found = [*csv.reader(io.StringIO(octets.decode()))]
    assert found == [[a, b or ""] for a, b in rows]


def test_a_slice_of_an_array_gives_its_own_bytes():
    whole = pa.array(["one", "two", "three"])
    assert text.encode_lines(whole.slice(1, 1)) == b"two\n"
    assert text.encode_lines(whole.slice(3)) == b""


def test_number_columns_have_no_quotes():
    columns = {"a": pa.array(["x"]), "b": pa.array(["1.50"])}
    assert text.to_json_lines(columns, ("b",)).to_pylist() == ['{"a":"x","b":1.50}']


@pytest.mark.parametrize("n", [10_000])
def test_different_parts_have_different_hashes(n):
    found = text.hash_parts(7, 1, np.arange(n), 0)
    others = text.hash_parts(7, 2, np.arange(n), 0)
    assert len({*found.tolist(), *others.tolist()}) == 2 * n
    assert (text.hash_parts(7, 1, np.arange(n), 0) == found).all()


def test_numbers_are_formatted():
    assert text.format_hex(np.array([255], np.uint64)).to_pylist() == ["00000000000000ff"]
    assert text.zero_pad(np.array([7]), 3).to_pylist() == ["007"]
    assert text.format_instants(np.array([0])).to_pylist() == ["1970-01-01T00:00:00Z"]
    assert text.format_integers(np.array([1, np.iinfo(np.int32).min], np.int32)).to_pylist() == [1, None]
    assert text.pick_names(["a", "b"], np.array([1, -1], np.int8)).to_pylist() == ["b", None]

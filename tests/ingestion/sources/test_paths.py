import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifestage.ingestion.sources.paths import Each, extract_values, list_path, parse_path
from support.frames import assert_rows


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("id", ("id",)),
        ("a.b.c", ("a", "b", "c")),
        ("properties.$insert_id", ("properties", "$insert_id")),
        ('a."b.c".d', ("a", "b.c", "d")),
        ("a[0].b[12]", ("a", 0, "b", 12)),
        ("lines[*].sku", ("lines", Each.VALUE, "sku")),
        ("lines[#]", ("lines", Each.NUMBER)),
        ("a b.c-d", ("a b", "c-d")),
    ],
)
def test_a_path_has_names_and_indexes(text, path):
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[-1]", '"a', "a[0]b", "[0]"])
def test_what_is_no_path_is_an_error(text):
    with pytest.raises(ValueError, match="is no path"):
        parse_path(text)


def test_one_list_can_become_rows():
    assert list_path([parse_path("a[*].b"), parse_path("c"), parse_path("a[#]")]) == ("a",)
    assert list_path([parse_path("a.b")]) is None
    with pytest.raises(ValueError, match="several lists"):
        list_path([parse_path("a[*].b"), parse_path("c[*]")])
    with pytest.raises(ValueError, match="a list within a list"):
        list_path([parse_path("a[*].b[*]")])


RECORD = {
    "id": 1,
    "a": {"b": "x", "n": 1.50, "o": {"c": True, "d": None}, "l": [1, {"k": "v"}]},
    "a.b": "dotted",
    "lines": [{"sku": "A", "parts": [1, 2]}, {"sku": "B"}, "odd"],
}


def values(spark, record, **paths):
    rows = spark.createDataFrame([(json.dumps(record),)], "raw string")
    return extract_values(rows, "raw", {name: parse_path(text) for name, text in paths.items()}).drop("raw")


def test_values_are_found_at_every_depth(spark):
    found = values(
        spark, RECORD, id="id", b="a.b", dotted='"a.b"', n="a.n", c="a.o.c", d="a.o.d", o="a.o", k="a.l[1].k",
        missing="a.x.y", beyond="a.l[9].k", no_object="id.x",
    )  # fmt: skip
    expected = ("1", "x", "dotted", "1.5", "true", None, '{"c":true,"d":null}', "v", None, None, None)
    assert_rows(found, [expected])


def test_each_element_of_a_list_is_a_row_with_the_values_of_its_record(spark):
    found = values(
        spark,
        RECORD,
        id="id",
        number="lines[#]",
        sku="lines[*].sku",
        part="lines[*].parts[1]",
        line="lines[*]",
    )
    lines = [json.dumps(line, separators=(",", ":")) for line in RECORD["lines"][:2]]
    assert_rows(
        found.select("id", "number", "sku", "part", "line"),
        [("1", "1", "A", "2", lines[0]), ("1", "2", "B", None, lines[1]), ("1", "3", None, None, "odd")],
    )


@pytest.mark.parametrize("lines", [[], None, "text", {"sku": "A"}])
def test_a_record_without_elements_is_one_row(spark, lines):
    found = values(spark, {"id": 1, "lines": lines}, id="id", number="lines[#]", sku="lines[*].sku")
    assert found.select("id").collect() == [("1",)]


NAMES = st.text(
    st.characters(exclude_characters='."[]`', exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4
)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_names_of_any_letters_are_steps(names):
    assert parse_path(".".join(names)) == tuple(names)

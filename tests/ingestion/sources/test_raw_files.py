import gzip
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from ingestion.sources.landing import Landing, layout
from lifestage.platform.errors import SourceError
from support.frames import assert_rows

JSON = {"format": "json", "columns": {"name": "string", "amount": "decimal(18,2)", "is_new": "boolean"}}


@pytest.fixture
def landing(spark, tmp_path: Path) -> Landing:
    return Landing(spark, tmp_path)


@pytest.mark.parametrize("rest", ["]", '] {"name": "lost"}', ', {"name": "lost"}', " x", ",0] x", ',"]'])
def test_text_after_the_object_of_a_line_breaks_the_line(landing, rest):
    landing.put("a.json", '{"name": "x"}' + rest + '\n{"name": "y"} \n')
    found = landing.rows(layout(**JSON)).select("c.name", "is_broken")
    assert found.where("is_broken").count() == 1
    assert_rows(found.where("NOT is_broken"), [("y", False)])


def test_quotes_blanks_and_doubled_quotes_follow_csv(landing):
    landing.put("a.csv", 'name,n\n"x, ""y""",1\r\n  z  , 2 \n"",3\n,\n')
    assert_rows(landing.values(layout()), [('x, "y"', 1), ("z", 2), (None, 3), (None, None)])


def test_the_raw_line_is_kept_unchanged_with_its_file_name(landing):
    landing.put("a.csv", 'name,n\n " x ", 1\n')
    assert_rows(landing.rows(layout()).select("raw", "file_name", "delivery_no"), [(' " x ", 1', "a.csv", 1)])


NOTES = {"columns": {"name": "string", "note": "string"}}


@pytest.mark.parametrize(
    ("rows", "broken"),
    [
        # Text that looks like a row, also with a quote of its own, and a value that opens where another one closes.
        (['a,"copied:\nb,looks like a row\nc,also"', "d,row"], set()),
        (['a,"copied:\nb,""as said""\nc,"', "d,row"], set()),
        (['a,"x\n","y\nz"', "d,row"], {0}),
        (['a,"x\n\ny"', "d,row"], set()),
        (['"a\nb",x', "d,row"], set()),
        # A value that is never closed, or not where a value ends.
        (['a,"x', "b,row", "c,row"], {0}),
        (['a,"x', "b,row", 'c,"y" z', "d,row"], {0}),
        (['"a,x', "b,row", 'c,"y"', "d,row"], {0}),
        # A quote inside a plain value opens nothing.
        (["a,5 inch", 'b,5"', 'c,a "word"', 'd,"""said"""'], set()),
    ],
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_the_lines_of_a_quoted_value_are_one_row(landing, rows, broken, line_break):
    text = "\n".join(["name,note", *rows, ""])
    landing.put("a.csv", text.replace("\n", line_break))
    landing.put("b.csv", 'name,note\nother,"file"\n')
    found = landing.rows(layout(**NOTES)).select("raw", "is_broken")
    assert_rows(found, [*[(row, n in broken) for n, row in enumerate(rows)], ('other,"file"', False)])


def test_the_text_of_a_value_keeps_its_line_breaks(landing):
    landing.put("a.csv", 'name,note\na,"first\n\n ""second"" "\nb,x\n')
    assert_rows(landing.values(layout(**NOTES)), [("a", 'first\n\n "second"'), ("b", "x")])


def test_a_quoted_value_can_span_several_parts_of_a_large_file(spark, landing):
    spark.conf.set("spark.sql.files.maxPartitionBytes", "64")
    text = [f"{n},looks like a row" for n in range(40)]
    landing.put("a.csv", "\n".join(["name,note", 'a,"begins', *text, 'ends"', "z,row"]) + "\n")
    expected = [("a", "\n".join(["begins", *text, "ends"])), ("z", "row")]
    assert_rows(landing.values(layout(**NOTES)), expected)
    spark.conf.unset("spark.sql.files.maxPartitionBytes")


def test_short_long_and_unclosed_lines_are_broken_and_empty_ones_are_skipped(landing):
    landing.put("a.csv", 'name,n\nshort\n\nlong,1,2\n"open,1\n   \ngood,1\n')
    expected = [("short", True), ("long,1,2", True), ('"open,1', True), ("   ", True), ("good,1", False)]
    assert_rows(landing.rows(layout()).select("raw", "is_broken"), expected)


def test_a_row_of_thirty_thousand_values_is_broken(landing):
    wide = ",".join(["x"] * 30_000)
    landing.put("a.csv", f'name,n\n{wide}\n"{wide}",1\ngood,1\n')
    broken = landing.rows(layout()).select(F.substring("raw", 1, 4).alias("start"), "is_broken")
    assert_rows(broken, [("x,x,", True), ('"x,x', True), ("good", False)])


@pytest.mark.parametrize("header", ["\ufeffname;n", '"name";"n"', "name ; n"])
def test_a_header_may_have_a_byte_order_mark_quotes_and_blanks(landing, header):
    landing.put("a.csv", f'{header}\n"x;y";1\n')
    assert_rows(landing.values(layout(delimiter=";")), [("x;y", 1)])


@pytest.mark.parametrize("delimiter", ["\t", "|"])
def test_other_delimiters_and_quotes_are_taken_literally(landing, delimiter):
    landing.put("a.csv", f"name{delimiter}n\n^a{delimiter}b^{delimiter}1\n")
    assert_rows(landing.values(layout(delimiter=delimiter, quote="^")), [(f"a{delimiter}b", 1)])


def test_latin_1_is_read_if_the_source_declares_it(landing):
    landing.put("a.csv", "name,n\nMüller,1\n".encode("latin-1"))
    assert_rows(landing.values(layout(encoding="ISO-8859-1")), [("Müller", 1)])


def test_bytes_that_are_not_utf_8_break_only_their_line(landing):
    landing.put("a.csv", "name,n\nMüller,1\n".encode("latin-1") + "Möller,2\n".encode())
    assert_rows(landing.rows(layout()).select("is_broken", "c.n"), [(True, "1"), (False, "2")])


def test_swapped_columns_are_refused_naming_source_file_expected_and_found(landing):
    file = landing.put("a.csv", "n,name\n1,x\n")
    landing.put("b.csv", "name,n\nx,1\n")
    with pytest.raises(SourceError) as refused:
        landing.rows(layout())
    assert str(refused.value) == f"source till: file:{file}: expected the header name,n, found n,name"


def test_a_file_without_header_is_refused_and_its_text_is_masked(landing):
    landing.put("a.csv", "anna.mueller@example.org,17\n")
    with pytest.raises(SourceError, match=r"found xxxx\.xxxxxxx@xxxxxxx\.xxx,99$"):
        landing.rows(layout())
    landing.put("a.csv", "n@example.org,17,n\n")
    with pytest.raises(SourceError, match=r"found x@xxxxxxx\.xxx,99,x$"):
        landing.rows(layout())


def test_every_file_with_a_wrong_header_is_named(landing):
    landing.put("a.csv", "name\nx\n")
    landing.put("b.csv", "name,m\nx,1\n")
    with pytest.raises(SourceError) as refused:
        landing.rows(layout())
    assert [line.rpartition("found ")[2] for line in str(refused.value).splitlines()] == ["name", "name,m"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b""), ("a.csv.gz", gzip.compress(b"")), ("a.csv", b"name,n\n")],
    ids=["empty", "empty gzip", "header"],
)
def test_empty_files_and_files_with_only_a_header_have_no_rows(landing, name, content):
    landing.put(name, content)
    assert landing.rows(layout()).isEmpty()


def test_gzipped_files_are_read_beside_plain_ones(landing):
    landing.put("a.csv.gz", gzip.compress(b"name,n\nx,1\n"))
    landing.put("b.csv", "name,n\ny,2\n")
    expected = [("a.csv.gz", 1, "x,1"), ("b.csv", 2, "y,2")]
    assert_rows(landing.rows(layout()).select("file_name", "delivery_no", "raw"), expected)


def test_a_truncated_gzip_file_is_refused_naming_source_and_file(landing):
    lines = "".join(f"{n * 7919 % 100_003},{n}\n" for n in range(5_000))
    file = landing.put("a 1.csv.gz", gzip.compress(f"name,n\n{lines}".encode())[:-2_000])
    landing.put("b.csv", "name,n\nx,1\n")
    with pytest.raises(SourceError) as refused:
        landing.rows(layout())
    first, *_ = str(refused.value).splitlines()
    assert first.startswith(f"source till: file:{file}".replace("a 1", "a%201"))
    assert "cannot be read to its end" in first
    assert "b.csv" not in str(refused.value)


def test_files_with_special_characters_in_their_names_are_read(landing):
    names = ["a 1.csv", "b[2].csv", "c+ü%.csv", "d{3}.csv"]
    for n, name in enumerate(names):
        landing.put(name, f"name,n\nx,{n}\n")
    expected = [(name, str(n)) for n, name in enumerate(names)]
    assert_rows(landing.rows(layout()).select("file_name", "c.n"), expected)


def test_json_lines_keep_their_texts_and_a_missing_key_is_null(landing):
    landing.put(
        "a.jsonl", '\ufeff{"name": "x", "amount": 12.50, "is_new": true}\n{"amount": "0.1", "more": 1}\n\n'
    )
    assert_rows(landing.values(layout(**JSON)), [("x", "12.50", True), (None, "0.10", None)])


def test_a_line_that_is_not_one_json_object_is_broken(landing):
    two = [
        '{"name": "x"} {"name": "y"}',
        '{"name": "x"}{"name": "y"}',
        '{"name": "x"}, {}',
        '{"name": "x"} y',
    ]
    lines = ['{"name": "x", "amount":', "[1]", '"x"', "null", *two, '{"name": "x"}']
    landing.put("a.jsonl", "\n".join(lines))
    expected = [(line, line != lines[-1]) for line in lines]
    assert_rows(landing.rows(layout(**JSON)).select("raw", "is_broken"), expected)

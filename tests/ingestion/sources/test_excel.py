import json
import os
from datetime import date, datetime, time, timedelta
from random import Random

import pytest
from openpyxl.styles import Protection

from ingestion.sources.landing import layout
from lifestage.ingestion.sources.excel import MAGICS, call_reader, read_cells, read_records
from support.binary_files import to_encrypted, to_xlsx


def records(content, **changes):
    return [json.loads(text) for text in read_records(content, layout(format="excel", **changes))]


BY_NAME = {"header": "by_name"}


def test_cells_become_text():
    values = {
        "text": " a b ",
        "whole": 10.0,
        "barcode": 5901234123457,
        "long": 1234567890123456,
        "price": 19.99,
        "small": 1e-7,
        "large": 1e21,
        "sum": 0.1 + 0.2,
        "yes": True,
        "no": False,
        "at": datetime(2026, 1, 5, 10, 30),
        "millis": datetime(2026, 1, 5, 23, 59, 59, 999_000),
        "day": date(2026, 1, 5),
        "time": time(9, 5),
        "long_time": timedelta(hours=36, minutes=30),
        "negative_time": -timedelta(minutes=30),
        "error": "#N/A",
        "other_error": "#DIV/0!",
        "no_error": "see #N/A",
        "lines": "one\ntwo",
        "empty": None,
        "blank": "  ",
    }
    ((_, *_), row) = read_cells(to_xlsx([*values], [*values.values()]))
    assert dict(zip(values, row, strict=True)) == {
        "text": "a b",
        "whole": "10",
        "barcode": "5901234123457",
        "long": "1234567890123456",
        "price": "19.99",
        "small": "0.0000001",
        "large": "1000000000000000000000",
        "sum": "0.3",
        "yes": "true",
        "no": "false",
        "at": "2026-01-05T10:30:00",
        "millis": "2026-01-05T23:59:59.999000",
        "day": "2026-01-05",
        "time": "09:05:00",
        "long_time": "36:30:00",
        "negative_time": "-00:30:00",
        "error": "#N/A",
        "other_error": "#DIV/0!",
        "no_error": "see #N/A",
        "lines": "one\ntwo",
        "empty": None,
        "blank": None,
    }


def test_columns_are_found_by_name_and_all_of_the_record_is_kept():
    content = to_xlsx(["N", "Note", None, "name", "Note"], [1, "x", "y", "A", "z"], [2, None, None, "B"])
    assert records(content, **BY_NAME) == [
        {"n": "1", "Note": "x", "column_3": "y", "name": "A", "Note (5)": "z"},
        {"n": "2", "name": "B"},
    ]


def test_names_may_have_dots_and_line_breaks():
    content = to_xlsx(["Order\n No.", "a.b[0]"], ["x", 1])
    fields = {"name": "Order No.", "n": "a.b[0]"}
    assert records(content, fields=fields) == [{"Order No.": "x", "a.b[0]": "1"}]


def test_a_table_may_begin_anywhere_and_end_in_empty_rows():
    content = to_xlsx(
        ["Report of January"], [], [None, "name", "n"], [], [None, "A", 1], [None, "B", None], [], [None, " "]
    )
    assert records(content, skip_lines=1) == [{"name": "A", "n": "1"}, {"name": "B"}]


def test_merged_cells_have_their_value_once():
    content = to_xlsx(
        ["name", "n"], ["A", 1], ["A", 2], change=lambda book: book["Data"].merge_cells("A2:A3")
    )
    assert records(content) == [{"name": "A", "n": "1"}, {"n": "2"}]


def test_without_a_header_columns_go_by_their_place():
    content = to_xlsx(["A", 1], [None, 2], ["B", None, "more"], [None, None, None, None])
    assert records(content, header="none") == [{"name": "A", "n": "1"}, {"n": "2"}, ["B", "", "more"]]


def test_the_first_visible_sheet_is_read_unless_one_is_named():
    def hide(book):
        book.move_sheet("Old", -2)
        book["Old"].sheet_state = "hidden"

    content = to_xlsx(["name", "n"], ["A", 1], change=hide, Other=[["name", "n"], ["B", 2]], Old=[["x"]])
    assert records(content) == [{"name": "A", "n": "1"}]
    assert records(content, sheet="Other") == [{"name": "B", "n": "2"}]
    with pytest.raises(ValueError, match="it has no sheet Nothing, found Data, Old, Other"):
        records(content, sheet="Nothing")


def test_an_error_is_found_in_its_sheet():
    content = to_xlsx(["name", "n"], ["A", "#REF!"], Other=[["name", "n"], ["#NAME?", 2]])
    assert records(content) == [{"name": "A", "n": "#REF!"}]
    assert records(content, sheet="Other") == [{"name": "#NAME?", "n": "2"}]


@pytest.mark.parametrize(
    ("header", "changes", "problem"),
    [
        (["n", "name"], {}, "expected the header name,n, found n,name"),
        (["name", "n", "more"], {}, "expected the header name,n, found name,n,more"),
        (["anna@example.org", 12], {}, "found xxxx@xxxxxxx.xxx,99"),
        (["name", "more"], BY_NAME, "the header lacks n, found xxxx,xxxx"),
        (["name", "n", "n"], BY_NAME, "the header has the column n 2 times"),
        (["n", "name", "more"], {**BY_NAME, "extra_columns": "refuse"}, "not declared: more"),
    ],
)
def test_another_header_is_an_error(header, changes, problem):
    with pytest.raises(ValueError, match=problem):
        records(to_xlsx(header, ["A", 1, 2]), **changes)


def test_an_empty_sheet_has_no_records():
    assert records(to_xlsx()) == records(to_xlsx(["name", "n"])) == []


def test_a_protected_sheet_is_read_and_an_encrypted_file_is_named():
    def protect(book):
        book["Data"].protection.sheet = True
        book["Data"]["A1"].protection = Protection(hidden=True)

    content = to_xlsx(["name", "n"], ["A", 1], change=protect)
    assert records(content) == [{"name": "A", "n": "1"}]
    with pytest.raises(ValueError, match="it is protected by a password"):
        records(to_encrypted(content))


def crash(content):
    os._exit(len(content))


def test_a_file_that_ends_its_reader_is_an_error():
    with pytest.raises(ValueError, match="it is cut off, damaged, or not a workbook"):
        call_reader(crash, MAGICS[1])


def test_a_torn_file_is_an_error():
    content = to_xlsx(["name", "n"], *[["anna@example.org", n] for n in range(200)])
    random, refused = Random(7), []
    for n in range(200):
        damaged = bytearray(content[: random.randrange(len(content))] if n % 2 else content)
        if damaged:
            damaged[random.randrange(len(damaged))] ^= 255
        try:
            records(bytes(damaged))
        except ValueError as error:
            refused.append(str(error))
    assert len(refused) > 100
    assert "example.org" not in "".join(refused)
    for other in (b"", b"name,n\n", content[:-100]):
        with pytest.raises(ValueError, match="it is cut off, damaged, or not a workbook"):
            records(other)

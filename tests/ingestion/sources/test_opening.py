import bz2
import gzip
import io
import json
import zipfile
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.sources.landing import layout
from lifestage.ingestion.sources.decoding import (
    codec_name,
    decompress,
    decompress_start,
    split_document,
    split_lines,
)
from lifestage.ingestion.sources.deliveries import Delivery
from lifestage.ingestion.sources.opening import (
    find_positions,
    is_document,
    open_deliveries,
    read_header,
    split_header,
)
from lifestage.platform.errors import SourceError

BY_NAME = {"header": "by_name"}


def packed(name, content):
    match name.rpartition(".")[2]:
        case "gz":
            return gzip.compress(content)
        case "bz2":
            return bz2.compress(content)
        case "zip":
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("orders.csv", content)
            return out.getvalue()
        case _:
            return content


def delivery(name, content, cut=None):
    head = content[:cut]
    return Delivery(
        1, "till", f"file:/landing/{name}", len(content), datetime(2026, 1, 1, tzinfo=UTC), "sha", head=head
    )


NAMES = ["a.csv", "a.csv.gz", "a.csv.bz2", "a.csv.zip"]
TEXT = "name,n\n" + "".join(f"x{n * 7919 % 100_003},{n}\n" for n in range(20_000))


@pytest.mark.parametrize("name", NAMES)
def test_a_packed_file_is_unpacked_as_its_name_says(name):
    content = packed(name, TEXT.encode())
    assert decompress(content, name) == TEXT.encode()
    (opened,) = open_deliveries(
        [delivery(name, content, 2**14 if ".bz2" not in name else None)], {"till": layout(**BY_NAME)}
    )
    assert (opened.header, opened.head) == ("name,n", b"")


def test_zstandard_is_unpacked_from_its_first_bytes_too():
    text = "name,n\n" + "".join(f"x{n * 7919 % 100_003},{n}\n" for n in range(60_000))
    content = pa.compress(text.encode(), "zstd", asbytes=True)
    assert decompress(content, "a.csv.zst") == text.encode()
    assert decompress_start(content[: 2**17], "a.csv.zst").startswith(b"name,n\nx0,0\n")


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.bz2", "a.csv.zst"])
def test_a_file_that_is_not_packed_as_its_name_says_is_named(name):
    with pytest.raises(
        SourceError, match=f"source till: file:/landing/{name}: it is not packed as its name says"
    ):
        open_deliveries([delivery(name, b"name,n\nx,1\n" * 9)], {"till": layout(**BY_NAME)})


@pytest.mark.parametrize("names", [[], ["a.csv", "b.csv"]])
def test_a_zip_file_must_hold_one_file(names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in [*names, "__MACOSX/a.csv"]:
            archive.writestr(name, "x")
    with pytest.raises(ValueError, match=f"holds {len(names)} files, expected one"):
        decompress(out.getvalue(), "a.zip")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["name,n", "x,1"], "name,n"),
        (["", "  ", "name,n"], "name,n"),
        (["\ufeffname,n"], "name,n"),
        (["sep=,", "name,n"], "name,n"),
        (["\ufeffsep=,", "n,name"], "n,name"),
        (['name,"note', 'for us",n', "x,y,1"], 'name,"note\nfor us",n'),
        (['name,"note', "for us,n"], None),
        ([], None),
    ],
)
def test_the_header_is_the_first_record(lines, expected):
    assert read_header(lines, layout()) == expected


def test_names_are_found_in_any_order_and_case_and_an_equal_name_counts_first():
    assert find_positions("N,other,Name", layout()) == {"name": 2, "n": 0}
    assert find_positions("Name,name,n", layout()) == {"name": 1, "n": 2}
    assert find_positions('"Full, name",n', layout(fields={"name": "Full, name"})) == {"name": 0, "n": 1}
    assert find_positions("a,n", layout(), may_lack=True) == {"n": 1}


def test_a_header_with_further_columns_is_refused_if_the_source_says_so():
    strict = layout(**BY_NAME, extra_columns="refuse")
    content = b"name,n,note,,\nx,1,y,,\n"
    with pytest.raises(SourceError, match="the header has columns that are not declared: note"):
        open_deliveries([delivery("a.csv", content)], {"till": strict})
    (opened,) = open_deliveries([delivery("a.csv", b"n,name,,\n")], {"till": strict})
    assert opened.header == "n,name,,"


def test_names_are_split_as_csv_splits_them():
    assert split_header('a, "b,""c""" ,,"d\ne"', layout()) == ["a", 'b,"c"', "", "d\ne"]
    assert split_header("a || b", layout(delimiter="||")) == ["a", "b"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['{"a": 1}', '{"a": 2}'], False),
        (['{"a": 1}'], False),
        ([], False),
        (["[", '{"a": 1}]'], True),
        (['[{"a": 1}]'], True),
        (["{", '"a": 1', "}"], True),
        (['{"a": 1}{"a": 2}'], True),
        (["[" * 100_000], True),
        # One broken line does not make the file one document.
        (['{"a": 1', '{"a": 2}'], False),
        (["name,n"], False),
    ],
)
def test_a_json_file_is_one_document_if_its_first_line_is_not_one_object(lines, expected):
    assert is_document(lines) is expected


RECORDS = st.lists(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(st.none() | st.integers() | st.text(max_size=9), st.lists),
        max_size=3,
    ),
    max_size=5,
)


@given(
    RECORDS,
    st.sampled_from([None, 0, 2]),
    st.sampled_from(["[%s]", "%s"]),
    st.sampled_from([",", "\n", " ,\r\n "]),
)
def test_a_document_has_the_records_that_json_reads(records, indent, form, between):
    texts = [json.dumps(record, indent=indent, ensure_ascii=False) for record in records]
    if form == "[%s]" and between == "\n":
        between = ","
    found = [json.loads(text) for text in split_document(form % between.join(texts))]
    assert found == records


@pytest.mark.parametrize(
    "text", ['[{"a": 1} {"a": 2}]', '[{"a": 1}', '[{"a": 1}] x', '{"a": 1} x', '[{"a": 1},']
)
def test_a_document_that_is_cut_off_or_goes_on_is_an_error(text):
    with pytest.raises(ValueError, match=r"character|Expecting value"):
        list(split_document(text))


@pytest.mark.parametrize("encoding", ["GB18030", "Shift_JIS", "UTF-16", "UTF-16LE", "UTF-8", "Windows-1252"])
def test_lines_are_decoded(encoding):
    lines = ["name,n", "", "Köln,1" if encoding in ("UTF-8", "Windows-1252") else "東京,1", "x,2"]
    content = "\r\n".join(lines).encode(encoding)
    assert [line.decode() for line in split_lines(content, encoding)] == lines


def test_a_line_of_another_encoding_stays_as_it_is():
    odd = b"\xff\xff,1"
    assert list(split_lines("東京,1\n".encode("gb18030") + odd, "GB18030")) == ["東京,1".encode(), odd]


@pytest.mark.parametrize("name", ["rot13", "base64", "nothing", "cp037"])
def test_an_encoding_without_plain_line_breaks_is_none(name):
    assert codec_name(name) is None

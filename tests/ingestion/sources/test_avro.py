import json
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from uuid import UUID

import pytest

from ingestion.sources.landing import layout
from lifestage.ingestion.sources.avro import check_schema, read_records, read_schema
from lifestage.ingestion.sources.paths import parse_path
from support.binary_files import logical, record, to_avro

USER = record("User", email=["null", "string"], score="float")
ORDER = record(
    "Order",
    id="string",
    n="long",
    at=logical("long", "timestamp-millis"),
    micros=["null", logical("long", "timestamp-micros")],
    wall=logical("long", "local-timestamp-millis"),
    day=["null", logical("int", "date")],
    total=["null", logical("bytes", "decimal", precision=18, scale=2)],
    ref=logical("string", "uuid"),
    price="float",
    ratio="double",
    picture="bytes",
    kind={"type": "enum", "name": "Kind", "symbols": ["A", "B"]},
    user=["null", USER, record("Device", device="string")],
    lines={"type": "array", "items": record("Line", sku="string", buyer=["null", "User"])},
    tags={"type": "map", "values": "string"},
)
FIRST = {
    "id": "o1",
    "n": 2**53 + 1,
    "at": datetime(2026, 1, 5, 10, tzinfo=UTC),
    "micros": datetime(2026, 1, 5, 10, 0, 0, 5, tzinfo=UTC),
    "wall": datetime(2026, 1, 5, 11, 30),
    "day": date(2026, 1, 5),
    "total": Decimal("12.50"),
    "ref": UUID(int=5),
    "price": 19.99,
    "ratio": float("nan"),
    "picture": b"ab\xff",
    "kind": "B",
    "user": ("User", {"email": "a@example.org", "score": 0.1}),
    "lines": [{"sku": "A", "buyer": {"email": None, "score": 1e10}}, {"sku": "B", "buyer": None}],
    "tags": {"k": "v"},
}
TEXT = {
    **FIRST,
    "at": "2026-01-05T10:00:00+00:00",
    "micros": "2026-01-05T10:00:00.000005+00:00",
    "wall": "2026-01-05T11:30:00",
    "day": "2026-01-05",
    "total": "12.50",
    "ref": "00000000-0000-0000-0000-000000000005",
    "ratio": "NaN",
    "picture": "YWL/",
    "user": {"email": "a@example.org", "score": 0.1},
}
SECOND = FIRST | {
    "micros": None,
    "day": None,
    "total": None,
    "user": ("Device", {"device": "d1"}),
    "lines": [],
}


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "bzip2"])
def test_a_record_becomes_json_with_times_and_decimals_as_text(codec):
    first, second = map(json.loads, read_records(to_avro(ORDER, [FIRST, SECOND], codec)))
    assert first == TEXT
    assert second == TEXT | {
        "micros": None,
        "day": None,
        "total": None,
        "user": {"device": "d1"},
        "lines": [],
    }


def test_text_keeps_its_letters():
    schema = record("R", note="string")
    notes = ["東京 \U0001f600", 'a "quoted"\nline', ""]
    texts = list(read_records(to_avro(schema, [{"note": note} for note in notes])))
    assert [json.loads(text)["note"] for text in texts] == notes
    assert all("\n" not in text for text in texts)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("id", "string"),
        ("at", "timestamp"),
        ("micros", "timestamp"),
        ("wall", "timestamp_ntz"),
        ("total", "decimal"),
        ("picture", "binary"),
        ("user", "mixed"),
        ("user.email", "string"),
        ("user.device", "string"),
        ("lines", "array<>"),
        ("lines[*]", "struct<sku:...>"),
        ("lines[#]", "long"),
        ("lines[0].buyer.score", "float"),
        ("tags.any", "string"),
        ("user.phone", None),
        ("id.more", None),
    ],
)
def test_a_path_leads_to_a_type(path, kind):
    assert read_schema(to_avro(ORDER, [])).find_kind(parse_path(path)) == kind


def test_a_type_may_contain_itself():
    schema = record("Node", name="string", next=["null", "Node"])
    content = to_avro(schema, [{"name": "a", "next": {"name": "b", "next": None}}])
    assert read_schema(content).find_kind(parse_path("next.next.next.name")) == "string"
    assert json.loads(next(read_records(content)))["next"]["name"] == "b"


def test_a_record_of_a_union_is_the_record():
    either = [record("Card", number="int"), record("Cash", change=["null", "float"])]
    schema = record(
        "Sale", paid={"type": "array", "items": either}, by={"type": "map", "values": ["Card", "Cash"]}
    )
    paid = [("Card", {"number": 1}), ("Cash", {"change": 0.3})]
    (text,) = read_records(to_avro(schema, [{"paid": paid, "by": {"k": paid[0]}}]))
    assert json.loads(text) == {"paid": [{"number": 1}, {"change": 0.3}], "by": {"k": {"number": 1}}}


@pytest.mark.parametrize(
    ("column", "declared", "problem"),
    [
        ("more", "string", "expected columns more, found id, n, at"),
        ("picture", "string", "column picture is binary, declared string: deliver it as text"),
        ("lines", "int", r"column lines is array<>: nested columns .* such as lines\[\*\]"),
        ("at", "local_timestamp", "column at holds instants: declare it timestamp"),
        ("wall", "timestamp", "column wall has no time zone: declare it local_timestamp"),
    ],
)
def test_a_file_whose_values_would_be_lost_or_shifted_is_refused(column, declared, problem):
    file_layout = layout(format="avro", columns={column: declared})
    content = to_avro(ORDER, [FIRST])
    with pytest.raises(ValueError, match=problem):
        check_schema(read_schema(content), file_layout)
    with pytest.raises(ValueError, match=problem):
        list(read_records(content, file_layout))


def test_a_text_column_may_hold_a_list():
    check_schema(read_schema(to_avro(ORDER, [])), layout(format="avro", columns={"lines": "string"}))


def test_the_schema_is_read_from_the_first_bytes():
    content = to_avro(ORDER, [FIRST] * 500)
    assert read_schema(content[:5_000], is_cut=True).find_kind(("id",)) == "string"
    assert read_schema(content[:200], is_cut=True) is None
    with pytest.raises(ValueError, match="cut off or damaged"):
        read_schema(content[:200])
    with pytest.raises(ValueError, match="it is not an Avro file"):
        read_schema(b"id,n\n")


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
def test_a_torn_file_is_an_error_without_values_of_the_file(codec):
    content = to_avro(ORDER, [FIRST] * 40, codec)
    with pytest.raises(ValueError, match="it is cut off or damaged"):
        list(read_records(content[:-20]))
    random, refused = Random(codec), []
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(random.randint(1, 4)):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        try:
            list(read_records(bytes(damaged)))
        except ValueError as error:
            refused.append(str(error))
    assert len(refused) > 100
    assert "example.org" not in "".join(refused)

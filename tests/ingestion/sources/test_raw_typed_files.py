from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from ingestion.sources.landing import Landing, layout
from lifestage.ingestion.sources.readers import read_raw
from lifestage.platform.errors import SourceError
from support.frames import assert_rows

COLUMNS = {"name": "string", "n": "int", "at": "timestamp", "amount": "decimal(18,2)"}
ROW = "SELECT 'x' name, 1 n, TIMESTAMP'2026-01-05 10:00:00Z' at, 1.50 amount"
AT = "2026-01-05T10:00:00.000000Z"


@pytest.fixture
def landing(spark, tmp_path: Path) -> Landing:
    return Landing(spark, tmp_path)


def parquet(landing, *queries):
    for query in queries:
        landing.spark.sql(query).coalesce(1).write.mode("append").parquet(str(landing.folder / "till"))
    return layout(format="parquet", path="till/*.parquet", columns=COLUMNS)


def delta(landing, query, mode="append"):
    landing.spark.sql(query).write.format("delta").mode(mode).save(str(landing.folder / "till"))
    return layout(format="delta", path="till", columns=COLUMNS)


def test_parquet_values_are_kept(landing):
    file_layout = parquet(landing, ROW)
    text = '{"name":"x","n":"1","at":"2026-01-05T10:00:00.000000Z","amount":"1.50"}'
    assert_rows(landing.rows(file_layout).select("raw", "is_broken", "is_header"), [(text, False, False)])
    assert_rows(
        landing.values(file_layout),
        [("x", 1, datetime(2026, 1, 5, 10, tzinfo=UTC).replace(tzinfo=None), "1.50")],
    )


def test_a_column_of_another_type_is_cast_from_its_text(landing):
    file_layout = parquet(landing, "SELECT 'x' name, 'one' n, '2026-01-05' at, 1.5e0 amount")
    assert_rows(landing.reasons(file_layout), [(["not_a_int:n", "not_a_timestamp:at"],)])
    assert_rows(landing.values(file_layout).select("amount"), [("1.50",)])


def test_local_time_is_stored_without_a_zone(landing):
    file_layout = layout(format="parquet", path="till/*.parquet", columns={"a": "local_timestamp"})
    parquet(landing, "SELECT TIMESTAMP_NTZ'2026-01-05 10:00:00' a")
    assert_rows(landing.values(file_layout).select(F.col("a").cast("string")), [("2026-01-05 15:00:00",)])


@pytest.mark.parametrize(
    ("query", "declared", "problem"),
    [
        ("struct(1 AS id) a", "string", "column a is struct<id:int>: nested columns cannot be read"),
        ("array(1) a", "string", "column a is array<int>: nested columns cannot be read"),
        ("map('k', 1) a", "string", "column a is map<string,int>: nested columns cannot be read"),
        ("CAST('x' AS BINARY) a", "string", "column a is binary, declared string: deliver it as text"),
        (
            "TIMESTAMP'2026-01-05 10:00:00Z' a",
            "local_timestamp",
            "column a holds instants: declare it timestamp",
        ),
    ],
)
def test_a_column_whose_values_would_be_lost_or_shifted_is_refused(landing, query, declared, problem):
    parquet(landing, f"SELECT {query}")
    file_layout = layout(format="parquet", path="till/*.parquet", columns={"a": declared})
    with pytest.raises(SourceError) as refused:
        landing.rows(file_layout)
    assert problem in str(refused.value)
    assert ".parquet: " in str(refused.value)


def test_an_instant_without_a_zone_is_refused_as_a_timestamp(landing):
    parquet(landing, "SELECT TIMESTAMP_NTZ'2026-01-05 10:00:00' a")
    with pytest.raises(SourceError, match="column a has no time zone: declare it local_timestamp"):
        landing.rows(layout(format="parquet", path="till/*.parquet", columns={"a": "timestamp"}))


def write(landing, path, /, **columns):
    file = landing.folder / "till" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), file)


def test_values_inside_records_and_names_with_dots_are_read(landing):
    user = [{"id": "M1", "mail": {"work": "x"}}, None]
    write(landing, "a.parquet", **{"user": user, "user.id": ["d1", "d2"], "tags": [["p", "q"], []]})
    fields = {"member": "user.id", "dotted": '"user.id"', "work": "user.mail.work", "second": "tags[1]"}
    file_layout = layout(
        format="parquet", path="till/*", columns=dict.fromkeys(fields, "string"), fields=fields
    )
    assert_rows(landing.values(file_layout), [("M1", "d1", "x", "q"), (None, "d2", None, None)])


def test_the_elements_of_a_list_are_rows(landing):
    items = [[{"sku": "A", "n": 1}, {"sku": "B", "n": 2}], []]
    write(landing, "a.parquet", id=["o1", "o2"], items=items)
    fields = {"id": "id", "line": "items[#]", "sku": "items[*].sku"}
    file_layout = layout(
        format="parquet", path="till/*", columns=dict.fromkeys(fields, "string"), fields=fields
    )
    assert_rows(landing.values(file_layout), [("o1", "1", "A"), ("o1", "2", "B"), ("o2", None, None)])


def test_a_path_that_a_file_lacks_is_named(landing):
    write(landing, "a.parquet", user=[{"id": "M1"}])
    file_layout = layout(format="parquet", path="till/*", columns={"m": "string"}, fields={"m": "user.mail"})
    with pytest.raises(SourceError, match=r"expected columns user\.mail, found user"):
        landing.rows(file_layout)


def test_files_may_differ_in_the_types_of_their_columns_and_folders_are_columns(landing):
    write(landing, "day=0105/a.parquet", n=pa.array([1.5]), name=["x"])
    write(landing, "day=0106/b.parquet", n=pa.array([2], pa.int64()), name=["y"], more=["z"])
    columns = {"day": "string", "name": "string", "n": "decimal(18,2)"}
    file_layout = layout(format="parquet", path="till/*/*.parquet", columns=columns)
    assert_rows(landing.values(file_layout), [("0105", "x", "1.50"), ("0106", "y", "2.00")])


def test_nanoseconds_are_read_to_the_microsecond(landing):
    at = pa.array([1_767_610_800_123_456_789], pa.timestamp("ns", "UTC"))
    write(landing, "a.parquet", at=at, local=at.cast(pa.timestamp("ns")), count=pa.array([1_767_610_800_123]))
    file_layout = layout(
        format="parquet",
        path="till/*",
        columns={"at": "timestamp", "local": "local_timestamp", "count": "timestamp"},
        formats={"count": "epoch_millis"},
        time_zone="UTC",
    )
    texts = landing.values(file_layout).select(*[F.col(name).cast("string") for name in file_layout.columns])
    second = "2026-01-05 11:00:00.123"
    assert_rows(texts, [(f"{second}456", f"{second}456", second)])


def test_a_parquet_file_that_lacks_columns_is_refused_naming_expected_and_found(landing):
    file_layout = parquet(landing, ROW, "SELECT 'y' name, 2 n")
    with pytest.raises(SourceError) as refused:
        landing.rows(file_layout)
    assert str(refused.value).startswith("source till: file:")
    assert str(refused.value).endswith(".parquet: expected columns at, amount, found name, n")
    assert len(str(refused.value).splitlines()) == 1


def test_a_file_that_is_not_parquet_is_refused_by_name(landing):
    file = landing.put("a.parquet", b"PAR1 and nothing else")
    with pytest.raises(SourceError, match=f"source till: file:{file}: cannot be read"):
        landing.rows(layout(format="parquet", path="till/*.parquet", columns=COLUMNS))


def test_a_delta_source_delivers_its_newest_version_and_is_read_at_that_version(landing):
    file_layout = delta(landing, ROW)
    assert [file.path for file in landing.find(file_layout)] == [f"{landing.folder}/till@v0"]
    delta(landing, ROW.replace("'x'", "'y'"))
    deliveries = landing.deliveries(file_layout)
    assert [(d.path, d.fingerprint) for d in deliveries] == [
        (f"{landing.folder}/till@v1", f"{landing.folder}/till@v1")
    ]
    delta(landing, ROW.replace("'x'", "'later'"), "overwrite")
    rows = read_raw(landing.spark, file_layout, deliveries)
    assert_rows(rows.select("c.name", "c.at", "file_name"), [(name, AT, "till@v1") for name in "xy"])


def test_a_missing_delta_table_delivers_nothing(landing):
    assert landing.find(layout(format="delta", path="till", columns=COLUMNS)) == []

import hashlib
import json
from datetime import UTC, date, datetime

import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from lifestage.activation.publish.export import ExportFormat, escape_formula, export
from lifestage.platform.errors import CheckError, ConfigError, LifestageError
from lifestage.project.registry import tables_of
from support.frames import build, shuffled
from support.projects import packaged_config

pytestmark = pytest.mark.slow

TABLES = tables_of(packaged_config())
DAY = date(2026, 1, 31)
COLUMNS = ("user_id", "as_of", "stage", "r_score", "segment", "stage_matched")
ROWS = [
    {"user_id": "u2", "as_of": DAY, "stage": "novice", "r_score": -1, "segment": '=HYPERLINK("x")'},
    {"user_id": "u1", "as_of": DAY, "segment": "high, spend", "stage_matched": {"silence_days": "3"}},
]
MANIFEST = {
    "snapshot_id": "2026-01-31.r1",
    "as_of": DAY,
    "revision": 1,
    "published_at": datetime(2026, 2, 1, 6, tzinfo=UTC),
    "run_id": "run-1",
    "digest": "d",
    "config_hash": "c",
    "code_version": "0.1.0",
    "n_users": 2,
    "erased": 0,
    "counts": {"audience:sleeping": 1},
    "strategies": [],
}


@pytest.fixture
def users(spark):
    return build(spark, TABLES["snapshot_users"], ROWS)


def test_a_csv_holds_declared_columns_by_user_without_formulas(users, tmp_path):
    done = export(users, MANIFEST, COLUMNS, tmp_path / "out" / "users.csv", ExportFormat.CSV)
    assert done.path.read_text(encoding="utf-8").splitlines() == [
        "user_id,as_of,stage,r_score,segment,stage_matched",
        'u1,2026-01-31,,,"high, spend","{""silence_days"": ""3""}"',
        'u2,2026-01-31,novice,-1,"\'=HYPERLINK(""x"")",',
    ]


def test_the_manifest_beside_it_has_count_and_digest(users, tmp_path):
    done = export(users, MANIFEST, COLUMNS, tmp_path / "users.csv", ExportFormat.CSV)
    told = json.loads(done.manifest_path.read_text(encoding="utf-8"))
    assert done.manifest_path.name == "users.csv.manifest.json"
    assert (told["n_rows"], told["columns"], told["published_at"]) == (
        2,
        list(COLUMNS),
        "2026-02-01T06:00:00+00:00",
    )
    assert told["sha256"] == done.sha256 == hashlib.sha256(done.path.read_bytes()).hexdigest()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["users.csv", "users.csv.manifest.json"]


def test_json_is_one_object_a_line(users, tmp_path):
    done = export(users, MANIFEST, COLUMNS, tmp_path / "users.jsonl", ExportFormat.JSON)
    first = json.loads(done.path.read_text(encoding="utf-8").splitlines()[0])
    assert first == {
        "user_id": "u1",
        "as_of": "2026-01-31",
        "stage": None,
        "r_score": None,
        "segment": "high, spend",
        "stage_matched": {"silence_days": "3"},
    }


def test_parquet_keeps_types(users, tmp_path):
    done = export(users, MANIFEST, COLUMNS, tmp_path / "users.parquet", ExportFormat.PARQUET)
    rows = pq.read_table(done.path).to_pylist()
    assert [(row["user_id"], row["as_of"], row["r_score"]) for row in rows] == [
        ("u1", DAY, None),
        ("u2", DAY, -1),
    ]
    assert rows[0]["stage_matched"] == [("silence_days", "3")]


@pytest.mark.parametrize("file_format", ExportFormat)
def test_the_order_of_rows_changes_no_byte(users, tmp_path, file_format):
    one = export(users, MANIFEST, COLUMNS, tmp_path / "one", file_format)
    other = export(shuffled(users), MANIFEST, COLUMNS, tmp_path / "other", file_format)
    assert one.sha256 == other.sha256


def test_an_empty_snapshot_is_a_header(spark, tmp_path):
    empty = build(spark, TABLES["snapshot_users"], [])
    done = export(empty, {**MANIFEST, "n_users": 0}, ("user_id",), tmp_path / "users.csv", ExportFormat.CSV)
    assert (done.n_rows, done.path.read_text(encoding="utf-8")) == (0, "user_id\n")


def test_erased_rows_are_not_expected(users, tmp_path):
    manifest = {**MANIFEST, "n_users": 3, "erased": 1}
    assert export(users, manifest, COLUMNS, tmp_path / "users.csv", ExportFormat.CSV).n_rows == 2


def test_a_path_that_exists_is_left_alone(users, tmp_path):
    taken = tmp_path / "users.csv"
    taken.write_text("mine")
    with pytest.raises(LifestageError, match="exists and is not overwritten"):
        export(users, MANIFEST, COLUMNS, taken, ExportFormat.CSV)
    assert taken.read_text() == "mine"


def test_a_file_that_cannot_be_whole_is_not_there(users, tmp_path):
    with pytest.raises(CheckError, match="found 2 rows, expected 3"):
        export(users, {**MANIFEST, "n_users": 3}, COLUMNS, tmp_path / "users.csv", ExportFormat.CSV)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file_format", ExportFormat)
def test_an_export_that_breaks_off_leaves_nothing_behind(users, tmp_path, file_format):
    """The first row is written by the time that the second fails."""
    broken = users.withColumn("segment", F.expr("IF(user_id = 'u2', raise_error('disk'), segment)"))
    with pytest.raises(Exception, match="disk"):
        export(broken, MANIFEST, ("user_id", "segment"), tmp_path / "users", file_format)
    assert list(tmp_path.iterdir()) == []


def test_an_audience_that_the_snapshot_does_not_have_is_refused_with_those_it_has(users, tmp_path):
    manifest = {
        **MANIFEST,
        "strategies": [{"kind": "audience", "name": "win_back"}, {"kind": "tier", "name": "t"}],
    }
    for wanted, said in (("winback", "did you mean win_back?"), ("x", "expected one of win_back")):
        with pytest.raises(ConfigError, match=rf"snapshot 2026-01-31.r1 has no audience {wanted}: ") as error:
            export(users, manifest, COLUMNS, tmp_path / "a.csv", ExportFormat.CSV, wanted)
        assert str(error.value).endswith(said)
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_begins_like_a_formula_is_quoted_too(spark, tmp_path):
    users = build(
        spark, TABLES["snapshot_users"], [{"user_id": "u1", "as_of": DAY, "audiences": ["=cmd", "b"]}]
    )
    done = export(users, {**MANIFEST, "n_users": 1}, ("audiences",), tmp_path / "users.csv", ExportFormat.CSV)
    assert done.path.read_text(encoding="utf-8") == "audiences\n'=cmd; b\n"


def test_columns_that_a_snapshot_does_not_have_are_named(users, tmp_path):
    with pytest.raises(ConfigError, match=r"publish.destinations: unknown email, expected some of .*user_id"):
        export(users, MANIFEST, ("user_id", "email"), tmp_path / "users.csv", ExportFormat.CSV)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_compute_is_quoted(text):
    assert escape_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "high spend", "a=b", "u-1"])
def test_other_text_stays(text):
    assert escape_formula(text) == text

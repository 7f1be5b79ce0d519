"""Law 1: any date can be built at any time, alone or with others, and gives the same rows; stale dates are named."""

from dataclasses import dataclass
from datetime import date

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from laws.history import line, random_lines
from lifestage.project.dates import read_stale_dates
from support.frames import assert_frames, assert_rows
from support.projects import TestProject, delta_store, make_project

pytestmark = pytest.mark.slow

FIRST, LATER, LAST = "2026-03-09", "2026-03-11", "2026-03-12"
FROM_ACTIVITY = ("identity", "features", "stages", "value", "segments", "channels", "audiences", "publish")
DATED = (
    *("norms", "user_features", "user_stages", "stage_totals", "rfm_cuts", "value_scales", "tier_cuts"),
    *("user_value", "user_segments", "user_audiences"),
    *(
        "value_totals",
        "spend_shares",
        "segment_totals",
        "segment_profiles",
        "channel_totals",
        "channel_reach",
        "audience_totals",
    ),
)
NEWEST = ("user_state", "identity_map")
STALE = [date.fromisoformat(FIRST), date.fromisoformat(LATER)]


def rows(world, table, as_of=None):
    """A table's rows now, whatever is written later."""
    frame = world.read(table)
    return (
        frame.where(F.col("as_of").cast("string") == as_of).localCheckpoint()
        if as_of
        else frame.localCheckpoint()
    )


@dataclass(frozen=True)
class Built:
    """A project, and the rows of each date as they were when it was the newest."""

    world: TestProject
    first: dict[str, DataFrame]
    later: dict[str, DataFrame]
    newest: dict[str, DataFrame]


@pytest.fixture(scope="module")
def built(spark_session, tmp_path_factory):
    """Two dates, the second with data of its own; then the first again, when later data is there."""
    folder = tmp_path_factory.mktemp("as_of")
    world = make_project(spark_session, folder, store=delta_store(spark_session, folder))
    world.deliver("monday.csv", random_lines(1, date(2025, 6, 1), date(2026, 3, 9)))
    world.run(FIRST, steps=("ingest", "activity", *FROM_ACTIVITY))
    first = {table: rows(world, table, FIRST) for table in DATED}
    world.deliver("wednesday.csv", random_lines(2, date(2026, 3, 10), date(2026, 3, 11), lines=20))
    world.run(LATER, steps=("ingest", "activity", *FROM_ACTIVITY))
    later = {table: rows(world, table, LATER) for table in DATED}
    newest = {table: rows(world, table) for table in NEWEST}
    world.run(FIRST, now="2026-03-12T06:00:00+00:00", steps=FROM_ACTIVITY)
    return Built(world, first, later, newest)


@pytest.mark.parametrize("table", DATED)
def test_an_old_date_built_after_later_data_arrived_has_the_same_rows(built, table):
    assert_frames(rows(built.world, table, FIRST), built.first[table])


@pytest.mark.parametrize("table", DATED)
def test_building_an_old_date_leaves_the_others_alone(built, table):
    assert_frames(rows(built.world, table, LATER), built.later[table])


@pytest.mark.parametrize("table", NEWEST)
def test_what_describes_the_newest_date_stays_that_of_the_newest_date(built, table):
    assert_frames(built.world.read(table), built.newest[table])


def test_the_same_rows_are_not_published_again(built):
    published = built.world.read("snapshots").select("snapshot_id")
    assert_rows(published, [(f"{FIRST}.r1",), (f"{LATER}.r1",)])


@pytest.fixture(scope="module")
def late(built):
    """A purchase of the week before the first date arrives after the second, and is ingested."""
    built.world.deliver("late.csv", [line("late-1", "newcomer", "2026-03-04", "33.00")])
    built.world.run(LAST, steps=("ingest", "activity"))
    return built.world


def test_dates_that_a_late_row_reaches_are_named(late):
    assert read_stale_dates(late.project) == STALE


@pytest.fixture(scope="module")
def refreshed(late):
    """All stale dates built in one pass, as `backfill --stale` does."""
    late.run(f"{FIRST},{LATER}", now="2026-03-12T23:00:00+00:00", steps=FROM_ACTIVITY)
    return late


def test_refreshed_dates_are_no_longer_stale_and_hold_the_late_row(refreshed):
    assert read_stale_dates(refreshed.project) == []
    newcomers = refreshed.read("user_features").where("net_amount_all = 33.00 AND occasions_all = 1")
    actual = newcomers.where("joined_on = DATE'2026-03-04'").select(
        F.col("as_of").cast("string"), "silence_days"
    )
    assert_rows(actual, [(FIRST, 5), (LATER, 7)])


def test_a_date_refreshed_with_others_is_that_date_refreshed_alone(refreshed):
    together = {table: rows(refreshed, table, FIRST) for table in DATED}
    refreshed.run(FIRST, now="2026-03-13T06:00:00+00:00", steps=FROM_ACTIVITY[:-1])
    for table in DATED:
        assert_frames(rows(refreshed, table, FIRST), together[table])


def test_the_day_that_a_correction_empties_makes_dates_stale(refreshed):
    """The basket leaves the week before the first date for the day before the second."""
    refreshed.deliver("moved.csv", [line("late-1", "newcomer", "2026-03-10", "33.00", version=2)])
    refreshed.run(LAST, now="2026-03-13T07:00:00+00:00", steps=("ingest",))
    assert read_stale_dates(refreshed.project) == STALE

"""Law 5: a run may be killed after any commit; the next one leaves the tables that an undisturbed run leaves."""

import signal
from itertools import chain

import pytest

from laws.nights import (
    AGAIN,
    INGEST,
    MONDAY,
    NOW,
    OF_THE_RUN,
    REFERENCE,
    TINY,
    TUESDAY,
    copied,
    killed,
    monday,
    tuesday,
)
from support.frames import assert_frames
from support.projects import ALL_STEPS, MAIN, MEMBERS, delta_store, make_project
from users.identity.world import LIMITS, World

pytestmark = pytest.mark.slow

INGEST_COMMITS = (
    *("rejected_events", "event_versions", "events", "ingest_ledger"),
    *("activity_days", "category_days"),
)
PERSONS = ("reference", "ingest", "identity", "profiles")
PERSONS_COMMITS = ("links", "identity_changes", "identity_map", "link_days", "user_profiles")
MEMBER_SINCE = "profile: {member_since: {from: [profiles.since], unit: date, description: Member since}}"
LATER_COMMITS = {
    "features": ("norms", "user_features", "user_state"),
    "stages": ("user_stages", "stage_totals"),
    "value": ("rfm_cuts", "value_scales", "tier_cuts", "user_value", "value_totals", "spend_shares"),
    "segments": ("user_segments", "segment_totals", "segment_profiles"),
    "channels": ("channel_totals", "channel_reach"),
    "audiences": ("audience_totals", "audience_definitions", "user_audiences"),
    "publish": ("snapshot_users", "snapshots", "runs"),
}


def assert_same_tables(actual, expected):
    for name in expected.project.tables:
        if name != "run_lock":
            columns = OF_THE_RUN.get(name, [])
            assert_frames(actual.read(name).drop(*columns), expected.read(name).drop(*columns))


@pytest.fixture
def base(spark_session, tmp_path):
    """Monday done, Tuesday's file there."""
    store = delta_store(spark_session, tmp_path / "base")
    base = make_project(spark_session, tmp_path / "base", main=MAIN + TINY, store=store)
    base.deliver("monday.csv", monday())
    base.run(MONDAY, steps=INGEST)
    base.deliver("tuesday.csv", tuesday())
    return base


def test_extracts_of_a_run_that_was_killed_are_read_again_and_what_they_rejected_is_kept_once(
    spark_session, tmp_path
):
    """Each next run meets rejected rows without a ledger row, then those and the versions of the extract."""
    store = delta_store(spark_session, tmp_path / "base")
    base = make_project(spark_session, tmp_path / "base", {"reference/members": MEMBERS}, MAIN + TINY, store)
    base.write("members/2026-03-09.csv", "number,since\n1,2020-01-01\n2,soon\n2,soon\n3,2021-01-01\n")
    base.run(MONDAY, steps=REFERENCE)
    base.write(
        "members/2026-03-10.csv", "number,since\n1,2020-01-02\n2,2020-01-01\n2,2021-01-01\n3,soon\n4,\n"
    )
    undisturbed, disturbed = copied(base, "undisturbed"), base
    undisturbed.run(TUESDAY, NOW, steps=REFERENCE)
    assert undisturbed.read("rejected_events").count() == 5
    for table in ("rejected_events", "members"):
        assert killed(disturbed, table, REFERENCE) == -signal.SIGKILL
    disturbed.run(TUESDAY, NOW, steps=REFERENCE, run_id=AGAIN)
    assert_same_tables(disturbed, undisturbed)


def test_persons_of_a_run_that_was_killed_are_made_good(spark_session, tmp_path):
    """Each next run meets dates of pairs without the persons that they make, moves without a map, a map without evidence."""
    store = delta_store(spark_session, tmp_path / "base")
    world = World(spark_session, tmp_path / "base", MAIN + LIMITS + TINY, store=store, features=MEMBER_SINCE)
    world.deliver_events(("1", 9, {"cookie": "c", "member": "m"}), ("2", 9, {"cookie": "d", "member": "n"}))
    world.deliver_profiles(("m", "+49777777", 9))
    world.test.run(MONDAY, steps=PERSONS)
    world.deliver_events(("3", 10, {"cookie": "c", "member": "n"}), ("2", 9, {}, 2, True))
    world.deliver_profiles(("n", "+49888888", 10))
    undisturbed, disturbed = copied(world.test, "undisturbed"), world.test
    before = versions_of(undisturbed)
    undisturbed.run(TUESDAY, NOW, steps=PERSONS)
    written = {name for name, version in versions_of(undisturbed).items() if version != before[name]}
    assert written >= {*PERSONS_COMMITS}
    for table in PERSONS_COMMITS:
        assert killed(disturbed, table, PERSONS) == -signal.SIGKILL
    disturbed.run(TUESDAY, NOW, steps=PERSONS, run_id=AGAIN)
    assert_same_tables(disturbed, undisturbed)


def test_evidence_of_a_run_that_was_killed_may_be_taken_back_before_the_next(spark_session, tmp_path):
    store = delta_store(spark_session, tmp_path / "base")
    world = World(spark_session, tmp_path / "base", MAIN + LIMITS + TINY, store=store)
    world.deliver_events(("1", 9, {"cookie": "c", "member": "m"}), ("2", 9, {"cookie": "d", "member": "n"}))
    world.test.run(MONDAY, steps=PERSONS)
    world.deliver_events(("3", 10, {"cookie": "c", "member": "n"}))
    assert killed(world.test, "identity_changes", PERSONS) == -signal.SIGKILL
    assert world.test.read("identity_changes").count() > 0
    world.deliver_events(("3", 10, {}, 2, True))
    world.test.run(TUESDAY, NOW, steps=PERSONS, run_id=AGAIN)
    assert set(world.groups().values()) == {("cm", "active"), ("dn", "active")}
    assert [world.test.read(name).count() for name in ("links", "identity_changes")] == [2, 0]


def versions_of(world):
    """The version of every table, but of the lock, which every try takes."""
    tables = world.project.tables
    return {name: world.project.store.version(tables[name]) for name in tables if name != "run_lock"}


def test_a_run_killed_after_every_one_of_its_commits_is_made_good(base):
    """Each next run of a step meets what the one before left, from the first commit to the last."""
    undisturbed, disturbed = copied(base, "undisturbed"), base
    before = versions_of(undisturbed)
    undisturbed.run(TUESDAY, NOW, steps=ALL_STEPS)
    written = {name for name, version in versions_of(undisturbed).items() if version != before[name]}
    assert written == {*INGEST_COMMITS, *chain.from_iterable(LATER_COMMITS.values())}
    for table in INGEST_COMMITS:
        # Of two tables that are written side by side, the other may be done already when the first one kills.
        assert killed(disturbed, table, INGEST) == -signal.SIGKILL or table == "category_days"
    disturbed.run(TUESDAY, NOW, steps=INGEST, run_id=AGAIN)
    for step, tables in LATER_COMMITS.items():
        for table in tables:
            assert killed(disturbed, table, (step,)) == -signal.SIGKILL
        if step != "publish":
            disturbed.run(TUESDAY, NOW, steps=(step,), run_id=AGAIN)
    disturbed.run(TUESDAY, NOW, steps=ALL_STEPS, run_id=AGAIN)
    assert_same_tables(disturbed, undisturbed)

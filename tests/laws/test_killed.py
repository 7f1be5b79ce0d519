"""Law 5: a run may be killed after any commit; the next one leaves the tables that an undisturbed run leaves."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from laws.history import line, random_lines
from support.frames import assert_frames
from support.projects import ALL_STEPS, MAIN, TestProject, delta_store, make_project
from support.sessions import BRIEF, to_yaml
from users.identity.world import LIMITS, World

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
MONDAY, TUESDAY, NOW = "2026-03-09", "2026-03-10", "2026-03-10T23:00:00+00:00"
AGAIN = "again"
REFERENCE = ("reference",)
INGEST = ("ingest", "activity")
INGEST_COMMITS = (
    *("rejected_events", "event_versions", "events", "ingest_ledger"),
    *("activity_days", "category_days"),
)
PERSONS = ("reference", "ingest", "identity", "profiles")
PERSONS_COMMITS = ("links", "identity_changes", "identity_map", "link_days", "user_profiles")
MEMBER_SINCE = "profile: {member_since: {from: [profiles.since], unit: date, description: Member since}}"
LATER = ("features", "stages", "value", "segments", "channels", "audiences", "publish")
LATER_COMMITS = (
    *("norms", "user_features", "user_state", "user_stages", "stage_totals"),
    *("rfm_cuts", "value_scales", "tier_cuts", "user_value", "value_totals", "spend_shares", "user_segments"),
    *("segment_totals", "segment_profiles", "channel_totals", "channel_reach", "audience_totals"),
    *("audience_definitions", "user_audiences", "snapshot_users", "snapshots", "runs"),
)
# A process of its own needs what the session of the suite has.
TINY = to_yaml(BRIEF)
MEMBERS = """
path: members/*.csv
format: csv
columns: {number: string, since: date}
key: [member]
valid_from: try_cast(substring(file_name, 1, 10) AS date)
map: {member: number, since: since}
types: {since: date}
identifiers: {member: member}
gate: 0.4
"""
# What tells one run from another, or one disk from another.
OF_THE_RUN = {
    "ingest_ledger": ["table_versions"],
    "runs": ["run_id", "table_versions", "seconds"],
    "snapshots": ["run_id"],
    # Taking back what a killed run told is a commit of its own.
    "identity_changes": ["journal_version"],
}


def monday():
    return random_lines(3, date(2025, 9, 1), date(2026, 3, 9), cards=6, lines=40)


def tuesday():
    """New, late, corrected, moved and deleted lines, and one that is rejected."""
    return [
        line("t1", "c0", "2026-03-10", "15.00"),
        line("t2", "c1", "2026-01-15", "15.00"),
        line("r3-1", "c1", "2026-03-08", "77.00", version=2),
        line("r3-2", "c2", "2026-03-07", "77.00", version=2),
        line("r3-3", "c3", "2026-03-07", deleted=True, version=2),
        line("t3", "c0", "2099-01-01"),
    ]


def copied(project, name):
    """The same project with a copy of its tables; the landing folder stays where it is."""
    folder = project.folder.with_name(name)
    main = (project.folder / "main.yaml").read_text().replace(f"{project.folder}/tables", f"{folder}/tables")
    shutil.copytree(
        project.folder, folder, ignore=shutil.ignore_patterns("main.yaml", "landing"), dirs_exist_ok=True
    )
    (folder / "main.yaml").write_text(main)
    store = delta_store(project.project.store.spark, folder)
    return TestProject(folder, replace(project.project, store=store))


def killed(project, commit, steps):
    """The return code of a run that dies after a commit."""
    command = [
        sys.executable,
        "-m",
        "support.killed",
        str(commit),
        "run",
        "--conf",
        str(project.folder / "main.yaml"),
    ]
    command += ["--as-of", TUESDAY, "--now", NOW, "--run-id", AGAIN, "--steps", ",".join(steps)]
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent / "lib")])
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


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
    """Each next run meets what the one before left, from the first commit to the last."""
    undisturbed, disturbed = copied(base, "undisturbed"), base
    before = versions_of(undisturbed)
    undisturbed.run(TUESDAY, NOW, steps=ALL_STEPS)
    written = {name for name, version in versions_of(undisturbed).items() if version != before[name]}
    assert written == {*INGEST_COMMITS, *LATER_COMMITS}
    for table in INGEST_COMMITS:
        # Of two tables that are written side by side, the other may be done already when the first one kills.
        assert killed(disturbed, table, INGEST) == -signal.SIGKILL or table == "category_days"
    for table in LATER_COMMITS:
        assert killed(disturbed, table, LATER) == -signal.SIGKILL
    disturbed.run(TUESDAY, NOW, steps=ALL_STEPS, run_id=AGAIN)
    assert_same_tables(disturbed, undisturbed)

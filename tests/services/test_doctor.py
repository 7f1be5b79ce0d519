from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from lifestage.platform.findings import Level
from lifestage.platform.storage.delta import DeltaStore, Location
from lifestage.project.root import KEY_FINGERPRINT, TIME_ZONE, root_properties
from lifestage.services.doctor import examine
from support.frames import build
from support.projects import make_project

pytestmark = pytest.mark.slow

NOW = datetime(2026, 2, 2, 6, tzinfo=UTC)
DAY = date(2026, 1, 31)
PLAIN_TILL = """
path: till/*.csv
format: csv
columns: {receipt: string, at: timestamp}
key: [receipt]
map: {event_type: "'purchase'", event_at: at}
"""


def write(project, table, rows):
    contract = project.tables[table]
    return project.store.write(contract, build(project.store.spark, contract, rows), {"run_id": "r"}).version


def lock_of(run_id, taken_at, pid=None, host="elsewhere"):
    return {"run_id": run_id, "host": host, "pid": pid, "pid_started": None, "taken_at": taken_at}


def finding(project, subject):
    """The first about a subject; what comes after is not looked at."""
    return next(found for found in examine(project, NOW, is_fast=True) if found.subject == subject)


@pytest.fixture(scope="module")
def project(spark_session, tmp_path_factory):
    """A root after one run, which a later delivery reached and whose successor was killed."""
    folder = tmp_path_factory.mktemp("doctor") / "p"
    project = make_project(spark_session, folder, {"till": PLAIN_TILL}).project
    store, tables = project.store, project.tables
    store.create(tables["runs"], root_properties(project))
    for name in ("rejected_events", "event_versions", "segment_models"):
        store.create(tables[name])
    twice = [
        {"source": "till", "event_id": "A1", "event_date": day} for day in (DAY, DAY - timedelta(days=1))
    ]
    events = write(project, "events", [*twice, {"source": "till", "event_id": "A2", "event_date": DAY}])
    ledger = [
        {
            "delivery_no": 1,
            "source": "till",
            "kind": "events",
            "table_versions": {"events": events},
            "n_rejected": 0,
        },
        {"delivery_no": 2, "source": "till", "kind": "events", "first_event_date": DAY, "n_rejected": 0},
    ]
    write(project, "ingest_ledger", ledger)
    run = {
        "run_id": "r1",
        "now": NOW,
        "as_of_dates": [DAY],
        "delivery_no": 1,
        "table_versions": {"events": events},
    }
    write(project, "runs", [run])
    write(project, "events", [{"source": "till", "event_id": "A3", "event_date": DAY}])
    return project


def test_an_empty_root_says_how_to_begin(spark_session, tmp_path):
    (found,) = examine(make_project(spark_session, tmp_path / "p").project, NOW)
    assert (found.level, found.subject, found.next_step) == (Level.NOTE, "storage root", "lifestage run")


def test_every_subject_is_checked_and_every_finding_that_is_not_ok_has_a_next_step(project):
    found = list(examine(project, NOW))
    assert [item.subject for item in found] == [
        "storage root",
        "time zone",
        "key fingerprint",
        "lock",
        "lost commits",
        "unfinished writes",
        "last completed run",
        "stale dates",
        "rejected rows",
        "personal data",
        "keys on two dates",
        "segment model",
    ]
    assert {item.subject: (item.level, item.next_step) for item in found if item.level is not Level.OK} == {
        "unfinished writes": (
            Level.NOTE,
            "lifestage run: it rolls back writes of a killed run, and keeps commits of OPTIMIZE",
        ),
        "last completed run": (Level.NOTE, "lifestage run"),
        "stale dates": (Level.NOTE, "lifestage backfill --stale"),
        "segment model": (
            Level.NOTE,
            "wait for the next training date, or lower min_users in segments.yaml",
        ),
        "keys on two dates": (
            Level.NOTE,
            "if its rows are corrected, declare `version` in sources/till.yaml; if keys are reused, add the date to `key`",
        ),
    }
    details = {item.subject: item.detail for item in found}
    assert details["keys on two dates"] == "till: 1 key, e.g. A1: each counts on both dates"
    assert (
        details["unfinished writes"]
        == "by a run that was killed, or by another tool: events (version 2, completed 1)"
    )
    assert details["stale dates"] == "later deliveries affect these kept dates: 2026-01-31"


def test_a_stale_source_is_a_problem(spark_session, project, tmp_path):
    """The ledger's deliveries have no time of their own here: the fixture's default is long ago."""
    daily = {"till": PLAIN_TILL + "freshness: 1 day\n"}
    expecting = make_project(spark_session, tmp_path / "p", daily).project
    found = finding(replace(project, config=expecting.config), "freshness")
    assert found.level is Level.PROBLEM
    assert found.detail.startswith("till: last delivery ")
    assert found.detail.endswith("expected every 1 day")


def test_a_key_and_a_zone_that_differ_from_the_roots_are_problems(project):
    business = project.config.shared.business.model_copy(update={"time_zone": "Europe/Berlin"})
    other = replace(project, config=project.config.replace_shared(business=business))
    found = finding(other, "time zone")
    assert found.level is Level.PROBLEM
    assert found.detail == "the root was made with America/New_York, the configuration gives Europe/Berlin"


def test_without_keys_a_root_is_recognised_by_its_zone(project):
    assert set(root_properties(project)) == {TIME_ZONE, KEY_FINGERPRINT}
    assert set(root_properties(replace(project, secrets=None))) == {TIME_ZONE}


def test_missing_keys_are_problems_and_the_other_checks_still_run(project, monkeypatch):
    monkeypatch.delenv("LIFESTAGE_QUARANTINE_KEY")
    found = examine(replace(project, secrets=None), NOW)
    keys = next(found)
    assert (keys.level, keys.subject) == (Level.PROBLEM, "keys")
    assert keys.detail.startswith("set LIFESTAGE_QUARANTINE_KEY (or LIFESTAGE_QUARANTINE_KEY_FILE)")
    assert [next(found).subject, next(found).subject] == ["storage root", "time zone"]


def test_a_root_that_cannot_be_reached_is_a_problem(project):
    broken = replace(project, store=DeltaStore(project.store.spark, Location(root="nowhere://x")))
    (found,) = examine(broken, NOW)
    assert (found.level, found.subject) == (Level.PROBLEM, "storage root")
    assert found.detail.startswith("nowhere://x cannot be reached: ")


@pytest.mark.parametrize(
    ("run_id", "age_hours", "level", "detail"),
    [
        ("r2", 1, Level.NOTE, "run r2 on elsewhere has held it since 2026-02-02 05:00 UTC"),
        ("r2", 7, Level.NOTE, "run r2 ended before it was complete"),
    ],
)
def test_a_lock_is_free_held_or_left_behind(project, run_id, age_hours, level, detail):
    write(project, "run_lock", [lock_of(run_id, NOW - timedelta(hours=age_hours))])
    found = finding(project, "lock")
    write(project, "run_lock", [])
    assert (found.level, found.detail) == (level, detail)
    assert finding(project, "lock").detail == "free"

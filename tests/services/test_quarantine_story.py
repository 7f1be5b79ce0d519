"""From a file to a rejected row to an event, by the real ingest: slow, since it takes two runs and two replays."""

import pytest

from lifestage.ingestion.events.replay import ReplayFilter
from lifestage.services.quarantine import list_rejected, replay_rejected
from services.conftest import (
    BROKEN,
    CORRECTED,
    DELETED,
    GIFT,
    GIFT_CALL,
    JULY,
    JUNE,
    NO_AMOUNT,
    SOURCES,
    TOO_LATE,
    WALL_CLOCK,
    line,
)
from support.frames import assert_rows
from support.projects import make_project

pytestmark = pytest.mark.slow


@pytest.mark.slow
def test_rejected_rows_become_the_events_that_they_would_have_been(spark_session, tmp_path):
    project = make_project(spark_session, tmp_path / "p", SOURCES)
    good = [line("r1", 1, "2026-01-05T12:00:00-05:00"), line("r3", 1, "2026-01-06T12:00:00-05:00")]
    project.deliver("march.csv", [*good, BROKEN])
    project.write("calls/one.jsonl", f"{GIFT_CALL}\n{GIFT_CALL}\n")
    project.run("2026-02-28", "2026-03-01T12:00:00+00:00", steps=["ingest"])
    project.deliver("june.csv", [CORRECTED, DELETED])
    project.write("calls/two.jsonl", f"{GIFT_CALL}\n{GIFT_CALL}\n{GIFT_CALL}\n")
    project.run("2026-05-31", JUNE.isoformat(), steps=["ingest"])
    assert {item.source: item.n_waiting for item in list_rejected(project.project)} == {"calls": 5, "till": 3}

    (late,) = replay_rejected(project.project, ReplayFilter("till", TOO_LATE), JULY, WALL_CLOCK)
    assert (late.delivery_no, late.counts.n_rows, late.counts.outcomes["replaced"]) == (5, 2, 2)
    events = project.read("events").select("event_id", "version", "amount")
    assert_rows(events, [("r1|1", 2, "7.00")])
    versions = project.read("event_versions").select("event_id", "superseded_by", "reason")
    assert_rows(versions, [("r1|1", 5, "corrected"), ("r3|1", 5, "deleted")])

    store = project.project.store
    better = make_project(spark_session, tmp_path / "p", SOURCES, store=store, event_types=GIFT)
    calls, till = replay_rejected(better.project, ReplayFilter(), JULY, WALL_CLOCK)
    assert (calls.counts.outcomes["accepted"], till.counts.reasons) == (3, {NO_AMOUNT: 1})
    events = better.read("events").where("source = 'calls'").groupBy("order_id").count()
    assert_rows(events, [("one.jsonl", 2), ("two.jsonl", 1)])

    # What fails again is the same row again: its id says so.
    (again,) = replay_rejected(better.project, ReplayFilter(), JULY, WALL_CLOCK)
    assert (again.source, again.counts.n_rows, again.counts.outcomes["rejected"]) == ("till", 1, 1)
    assert (
        better.read("rejected_events").where("source = 'till'").select("rejected_id").distinct().count() == 3
    )

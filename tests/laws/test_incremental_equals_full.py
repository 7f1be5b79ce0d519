"""Law 2: daily runs over late rows, duplicates, corrections and deletes give what a rebuild from scratch gives."""

from collections import Counter
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestion.events.model import Model
from laws.history import line
from support.frames import assert_frames, assert_rows
from support.projects import delta_store, make_project

START = date(2026, 3, 9)
ACTIVITY = ("activity_days", "category_days")
INGESTED = ("events", "event_versions", "rejected_events")

# A line of the till: (receipt, version, deleted, card, day, cents). Few receipts, so that most lines meet another.
lines = st.tuples(
    st.integers(0, 11),
    st.integers(1, 4),
    st.integers(0, 4).map(lambda n: n == 0),
    st.integers(0, 3),
    st.integers(0, 35),
    st.integers(0, 9999),
)
files = st.lists(lines, min_size=8, max_size=20, unique_by=lambda row: row[:3])
days = st.lists(files, min_size=2, max_size=2)


def till_line(row):
    receipt, version, deleted, card, day, cents = row
    at = START - timedelta(days=day)
    return line(f"r{receipt}", f"c{card}", at, f"{cents / 100:.2f}", version, deleted)


def judged(history):
    """What the definition makes of a history, one delivery after the other."""
    model = Model(window_start=START - timedelta(days=60))
    for file in (file for files_of_day in history for file in files_of_day):
        model.deliver(model_row(row) for row in file)
    return model


def model_row(row):
    receipt, version, deleted, _, day, cents = row
    flags = {
        "source": "till",
        "looks_back": True,
        "rejects_changes": False,
        "replaces_changes": False,
        "is_delete": deleted,
    }
    return {
        **flags,
        "event_id": f"r{receipt}|1",
        "event_date": START - timedelta(days=day),
        "version": version,
        "content": str(cents),
        "cents": cents,
    }


def is_eventful(history):
    """Everything happens in it: hypothesis begins with histories in which nothing does."""
    model = judged(history)
    outcomes = Counter(outcome for _, outcome in model.outcomes)
    reasons = {reason for _, reason, _ in model.versions}
    moved = any(
        old["event_date"] != new["event_date"] for old, reason, new in model.versions if reason == "corrected"
    )
    wanted = {"accepted", "replaced", "superseded", "duplicate", "rejected: late"}
    return wanted <= set(outcomes) and {"corrected", "deleted", "outdated"} <= reasons and moved


histories = st.lists(days, min_size=2, max_size=2).filter(is_eventful)
numbers = count()


def delivered(world, day, files_of_day, turned=False):
    """Put the files of a day into the landing folder; `turned` reverses their rows."""
    for number, file in enumerate(files_of_day):
        world.deliver(f"{day}-{number}.csv", [till_line(row) for row in (file[::-1] if turned else file)])


def check(spark, folder, history):
    calendar = [str(START + timedelta(days=number)) for number in range(len(history))]
    on_delta, *others = (folder / f"{next(numbers)}-{name}" for name in ("daily", "full", "once"))
    daily = make_project(spark, on_delta, store=delta_store(spark, on_delta))
    replayed, at_once = (make_project(spark, other) for other in others)
    for day, files_of_day in zip(calendar, history, strict=True):
        delivered(daily, day, files_of_day)
        daily.run(day, steps=("ingest", "activity"))
        delivered(replayed, day, files_of_day, turned=True)
        replayed.run(day, steps=("ingest",))
        delivered(at_once, day, files_of_day)
    replayed.run(calendar[-1], steps=("activity",))
    at_once.run(calendar[-1], steps=("ingest",))
    assert_replay_is_the_same(daily, replayed)
    assert_deliveries_of_one_run_are_taken_one_by_one(daily, at_once)
    assert_events_are_those_of_the_definition(daily, history)


def assert_replay_is_the_same(daily, replayed):
    """Row for row and bit for bit, of each table; a sketch by its bytes, a rejected row by its secret text."""
    for table in (*ACTIVITY, "events", "event_versions"):
        assert_frames(daily.read(table), replayed.read(table))
    columns = ("rejected_id", "event_date", "reasons", "raw")
    assert_frames(
        daily.read("rejected_events").select(*columns), replayed.read("rejected_events").select(*columns)
    )


def assert_deliveries_of_one_run_are_taken_one_by_one(daily, at_once):
    """Only when a row was learned depends on which files share a run."""
    for table, clocks in (("events", ["ingested_at"]), ("event_versions", ["ingested_at", "superseded_at"])):
        assert_frames(daily.read(table).drop(*clocks), at_once.read(table).drop(*clocks))


def assert_events_are_those_of_the_definition(daily, history):
    expected = [
        (row["event_id"], row["version"], row["event_date"], row["cents"]) for row in judged(history).events()
    ]
    actual = daily.read("events").selectExpr(
        "event_id", "version", "event_date", "CAST(amount * 100 AS INT) AS cents"
    )
    assert_rows(actual, expected)


def few(examples):
    """So many histories, the same ones in every run; a failure is shown as it was found, for each try takes long."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.slow
@few(1)
@given(history=histories)
def test_daily_runs_give_what_a_rebuild_gives(spark_session, tmp_path_factory, history):
    check(spark_session, tmp_path_factory.mktemp("incremental"), history)


@pytest.mark.slow
@few(4)
@given(history=st.lists(days, min_size=3, max_size=4).filter(is_eventful))
def test_longer_histories_too(spark_session, tmp_path_factory, history):
    check(spark_session, tmp_path_factory.mktemp("incremental"), history)


def test_histories_are_eventful_enough():
    """The filter has to hold what it promises, or the law is tried on nothing."""
    assert not is_eventful([[[(0, 1, False, 0, 0, 0)]]])

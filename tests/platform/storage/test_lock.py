import os
import subprocess
import sys
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from lifestage.platform.errors import RunLockedError
from lifestage.platform.storage.lock import Holder, acquire, is_alive, this_process
from lifestage.project.tables import RUN_LOCK
from support.frames import assert_rows

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DEAD_AFTER = timedelta(hours=6)
ME = this_process("mine", NOW, is_job=False)


@pytest.fixture
def other_process():
    """A process that lives as long as the test."""
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    yield process
    process.communicate()


def holder_of(pid, **changes):
    started = datetime.fromtimestamp(psutil.Process(pid).create_time(), UTC).isoformat()
    theirs = replace(ME, run_id="theirs", pid=pid, pid_started=started, taken_at=NOW - timedelta(days=30))
    return replace(theirs, **changes)


def test_a_process_of_this_host_is_alive_while_it_runs_however_long(other_process):
    theirs = holder_of(other_process.pid)
    assert is_alive(theirs, ME, DEAD_AFTER)
    other_process.communicate()
    assert not is_alive(theirs, ME, DEAD_AFTER)


def test_a_process_that_reuses_the_pid_is_not_the_holder(other_process):
    assert not is_alive(holder_of(other_process.pid, pid_started="2026-01-01T00:00:00+00:00"), ME, DEAD_AFTER)


def test_this_process_does_not_lock_itself_out():
    assert not is_alive(replace(ME, run_id="failed before", taken_at=NOW), ME, DEAD_AFTER)
    assert ME.pid == os.getpid()


@pytest.mark.parametrize(
    ("age", "alive"), [(timedelta(hours=5, minutes=59), True), (timedelta(hours=6), False)]
)
def test_a_holder_on_another_host_or_of_jobs_counts_as_alive_for_a_while(age, alive):
    elsewhere = replace(ME, run_id="theirs", host="another", taken_at=NOW - age)
    jobs = replace(this_process("theirs", NOW - age, is_job=True))
    assert jobs.pid is None
    assert is_alive(elsewhere, ME, DEAD_AFTER) is alive
    assert is_alive(jobs, ME, DEAD_AFTER) is alive


def test_the_lock_is_taken_refused_while_held_and_taken_over(store, other_process):
    theirs = holder_of(other_process.pid)
    acquire(store, RUN_LOCK, theirs, DEAD_AFTER)
    acquire(store, RUN_LOCK, theirs, DEAD_AFTER)
    with pytest.raises(RunLockedError, match=rf"run theirs on {ME.host} \(process {theirs.pid}\) has held"):
        acquire(store, RUN_LOCK, ME, DEAD_AFTER)
    other_process.communicate()
    acquire(store, RUN_LOCK, ME, DEAD_AFTER)
    assert_rows(store.read(RUN_LOCK).select("run_id", "pid"), [("mine", os.getpid())])


def test_jobs_of_one_run_share_the_lock_until_they_count_as_dead(store):
    job = Holder("shared", "one", None, None, NOW)
    acquire(store, RUN_LOCK, job, DEAD_AFTER)
    acquire(store, RUN_LOCK, replace(job, host="two", taken_at=NOW + timedelta(hours=1)), DEAD_AFTER)
    assert_rows(store.read(RUN_LOCK).select("host"), [("two",)])
    with pytest.raises(RunLockedError, match=r"run shared on two \(its jobs\)"):
        acquire(store, RUN_LOCK, replace(ME, taken_at=NOW + timedelta(hours=6)), DEAD_AFTER)
    acquire(store, RUN_LOCK, replace(ME, taken_at=NOW + timedelta(hours=7)), DEAD_AFTER)
    assert_rows(store.read(RUN_LOCK).select("run_id"), [("mine",)])


def test_a_live_process_keeps_its_lock_from_another_run_of_the_same_name(store, other_process):
    theirs = holder_of(other_process.pid, run_id=ME.run_id)
    acquire(store, RUN_LOCK, theirs, DEAD_AFTER)
    with pytest.raises(RunLockedError, match=rf"run mine on {ME.host} \(process {theirs.pid}\) has held"):
        acquire(store, RUN_LOCK, ME, DEAD_AFTER)
    other_process.communicate()
    acquire(store, RUN_LOCK, ME, DEAD_AFTER)


def test_the_message_says_when_a_holder_on_another_host_counts_as_dead(store):
    acquire(store, RUN_LOCK, replace(ME, host="elsewhere"), DEAD_AFTER)
    with pytest.raises(RunLockedError, match="counts as dead from 2026-06-01 18:00 UTC"):
        acquire(store, RUN_LOCK, ME, DEAD_AFTER)


def test_one_of_two_runs_that_saw_the_same_state_acquires_the_lock(store):
    acquire(store, RUN_LOCK, ME, DEAD_AFTER)
    seen = store.version(RUN_LOCK)
    first, second = (replace(ME, run_id=name) for name in ("first", "second"))
    for holder in (first, second):
        store.swap(RUN_LOCK, [astuple(holder)], {}, seen)
    assert_rows(store.read(RUN_LOCK).select("run_id"), [("first",)])


def test_a_released_lock_is_free_and_one_taken_over_is_left_alone(store):
    mine = acquire(store, RUN_LOCK, ME, DEAD_AFTER)
    theirs = acquire(store, RUN_LOCK, replace(ME, run_id="another"), DEAD_AFTER)
    mine.release()
    assert_rows(store.read(RUN_LOCK).select("run_id"), [("another",)])
    theirs.release()
    assert store.read(RUN_LOCK).isEmpty()


def test_a_lock_whose_table_was_optimized_is_released(spark, store):
    mine = acquire(store, RUN_LOCK, ME, DEAD_AFTER)
    spark.sql(f"OPTIMIZE delta.`{store.location.name_of(RUN_LOCK)}`")
    mine.release()
    assert store.read(RUN_LOCK).isEmpty()


def test_a_process_recorded_in_clock_ticks_counts_as_dead_after_a_while(other_process):
    older = holder_of(other_process.pid, pid_started="4711", taken_at=NOW)
    assert is_alive(older, ME, DEAD_AFTER)
    assert not is_alive(replace(older, taken_at=NOW - DEAD_AFTER), ME, DEAD_AFTER)
    other_process.communicate()
    assert not is_alive(older, ME, DEAD_AFTER)

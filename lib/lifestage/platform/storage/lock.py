"""The lock on a storage root: one run at a time. The next run takes over the lock of a dead run."""

import os
import socket
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta

import psutil

from lifestage.platform.errors import ConcurrentWriteError, RunLockedError
from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.reading import TableReader
from lifestage.platform.storage.store import Store

# The operating system records the start of a process in ticks since boot. Its time shifts when the clock is adjusted.
CLOCK_DRIFT = timedelta(minutes=1)
# In the metadata of every commit of the lock: the version of `runs` when the last run to complete released the lock.
RUNS_VERSION = "runs_version"
LOST_RACE = "another run took the lock on this storage root at the same time: run again later"


@dataclass(frozen=True)
class Holder:
    """Who holds the lock.

    `pid` is None if the run consists of jobs, each in a process of its own. `pid_started` is the start of the process in
    ISO format and UTC. Older versions recorded clock ticks since boot there; see `is_alive`.
    """

    run_id: str
    host: str
    pid: int | None
    pid_started: str | None
    taken_at: datetime


@dataclass(frozen=True)
class Lock:
    """A lock that this process has acquired.

    `version` is the version of `table` that records it. `runs_version` is the version of `runs` that the last run to
    complete left; None if no holder recorded it.
    """

    store: Store
    table: Table
    holder: Holder
    version: int
    runs_version: int | None = None

    def release(self) -> None:
        """Free the lock unless another run has taken it over."""
        metadata = {"run_id": self.holder.run_id, "released": True, RUNS_VERSION: self.runs_version}
        # A swap by another run since `version`, or at this moment, is a takeover.
        with suppress(ConcurrentWriteError):
            self.store.swap(self.table, [], metadata, self.version)


def this_process(run_id: str, wall_clock: datetime, is_job: bool) -> Holder:
    """The holder that represents this process."""
    pid = None if is_job else os.getpid()
    return Holder(run_id, socket.gethostname(), pid, _start_of(pid) if pid else None, wall_clock)


def acquire(store: Store, table: Table, me: Holder, dead_after: timedelta) -> Lock:
    """Acquire the lock. Takes it over if its holder is dead, whatever the name of its run.

    The jobs of one run share the lock. `store` must not cache anything between calls, because other processes also write this table.

    Raises:
        RunLockedError: another run is alive.
    """
    before = store.newest([table]).get(table.name)
    holder = read_holder(store, table)
    recorded = before.commit.metadata.get(RUNS_VERSION) if before and before.commit else None
    runs_version = recorded if isinstance(recorded, int) else None
    if holder == me and before is not None:
        return Lock(store, table, me, before.version, runs_version)
    if holder and not _is_job_of_same_run(holder, me) and is_alive(holder, me, dead_after):
        raise RunLockedError(
            f"run {holder.run_id} on {holder.host} ({describe_process(holder)}) has held this storage root "
            f"since {holder.taken_at:%Y-%m-%d %H:%M} UTC: wait for it, or end it and run again"
            f"{_describe_expiry(holder, me, dead_after)}"
        )
    metadata = {**_metadata(me), RUNS_VERSION: runs_version}
    try:
        store.swap(table, [astuple(me)], metadata, before.version if before else None)
    except ConcurrentWriteError as error:
        raise RunLockedError(LOST_RACE) from error
    # Of all swaps since `before` only the first took effect: the newest commit says whose it was.
    newest = store.newest([table])[table.name].commit
    if newest is None or newest.metadata != metadata:
        raise RunLockedError(LOST_RACE)
    return Lock(store, table, me, newest.version, runs_version)


def read_holder(store: TableReader, table: Table) -> Holder | None:
    """Who holds the lock; None if it is free."""
    rows = store.read_rows(table)
    return Holder(**rows[0]) if rows else None


def describe_process(holder: Holder) -> str:
    """The process of a holder, for messages."""
    return f"process {holder.pid}" if holder.pid else "its jobs"


def is_alive(holder: Holder, me: Holder, dead_after: timedelta) -> bool:
    """Whether a holder still runs.

    A holder on this host is alive if a process with its number and start exists. A holder on another host, or a run of
    jobs, counts as dead after `dead_after`. So does a process whose start was recorded in the older format: the start
    can't be compared, and another process may have the number now.
    """
    is_known = holder.host == me.host and holder.pid is not None
    if not is_known:
        return me.taken_at - holder.taken_at < dead_after
    if holder.pid == me.pid or not psutil.pid_exists(holder.pid):
        return False
    if _is_older_format(holder):
        return me.taken_at - holder.taken_at < dead_after
    started = _start_of(holder.pid)
    if started is None or holder.pid_started is None:
        return False
    return abs(datetime.fromisoformat(started) - datetime.fromisoformat(holder.pid_started)) < CLOCK_DRIFT


def _is_job_of_same_run(holder: Holder, me: Holder) -> bool:
    return holder.run_id == me.run_id and holder.pid is None and me.pid is None


def _describe_expiry(holder: Holder, me: Holder, dead_after: timedelta) -> str:
    """Say when a holder on another host, or a run of jobs, counts as dead; empty for a process of this host."""
    if holder.host == me.host and holder.pid is not None:
        return ""
    return (
        f". It counts as dead from {holder.taken_at + dead_after:%Y-%m-%d %H:%M} UTC (run.dead_after_hours)"
    )


def _is_older_format(holder: Holder) -> bool:
    return (holder.pid_started or "").isdigit()


def _metadata(me: Holder) -> dict[str, object]:
    """The metadata of a commit, unique to each attempt to acquire the lock."""
    return {"run_id": me.run_id, "holder": [me.host, me.pid, me.pid_started, me.taken_at.isoformat()]}


def _start_of(pid: int | None) -> str | None:
    """When a process started, in ISO format; None if it doesn't exist."""
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None
    return datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds")

"""One run at a time on a storage root; what a dead run left is taken over."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from delta.exceptions import DeltaConcurrentModificationException

from lifestage.platform.errors import RunLockedError
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.store import Store

SAME_MOMENT = "another run took this storage root at the same moment: run again later"


@dataclass(frozen=True)
class Holder:
    """Who holds a lock. Without a pid the run consists of jobs, each a process of its own."""

    run_id: str
    host: str
    pid: int | None
    pid_started: str | None
    taken_at: datetime


def this_process(run_id: str, wall_clock: datetime, is_job: bool) -> Holder:
    """The holder that this process would be."""
    pid = None if is_job else os.getpid()
    return Holder(run_id, socket.gethostname(), pid, _started(pid) if pid else None, wall_clock)


def take(store: Store, table: Table, me: Holder, dead_after: timedelta) -> None:
    """Take the lock, over a dead holder if need be; RunLockedError while another run is alive."""
    seen = store.version(table)
    holder = current(store, table)
    if holder and holder.run_id != me.run_id and is_alive(holder, me, dead_after):
        raise RunLockedError(
            f"run {holder.run_id} on {holder.host} (process {holder.pid or 'of its jobs'}) has held this storage root "
            f"since {holder.taken_at:%Y-%m-%d %H:%M} UTC: wait for it, or end it and run again"
        )
    if holder == me:
        return
    row = (me.run_id, me.host, me.pid, me.pid_started, me.taken_at)
    try:
        store.swap(table, local_rows(store.spark, [row], table.schema), _metadata(me), seen)
    except DeltaConcurrentModificationException as error:
        raise RunLockedError(SAME_MOMENT) from error
    if current(store, table) != me:
        raise RunLockedError(SAME_MOMENT)


def release(store: Store, table: Table, me: Holder) -> None:
    """Give the lock back, if this process still has it."""
    seen = store.version(table)
    if current(store, table) == me:
        store.swap(table, local_rows(store.spark, [], table.schema), _metadata(me), seen)


def current(store: Store, table: Table) -> Holder | None:
    """Who has the lock; None where it is free."""
    # All of its one row: asked for the first, Spark looks for it in jobs of growing size.
    rows = store.read(table).collect()
    if not rows:
        return None
    values: Mapping[str, Any] = rows[0].asDict()
    return Holder(**{**values, "taken_at": values["taken_at"].astimezone(UTC)})


def is_alive(holder: Holder, me: Holder, dead_after: timedelta) -> bool:
    """On this host the process tells; elsewhere, and for jobs, a holder counts as dead after a while."""
    if holder.host == me.host and holder.pid is not None:
        return holder.pid != me.pid and _started(holder.pid) == holder.pid_started and _exists(holder.pid)
    return me.taken_at - holder.taken_at < dead_after


def _metadata(me: Holder) -> dict[str, object]:
    return {"run_id": me.run_id}


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> str | None:
    """When a process began in clock ticks since boot, so that a reused number is not taken for the same process."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None

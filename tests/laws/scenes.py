"""A root before a night, and what a test does to it: faults at operations, copies, disks of its own, other tools."""

import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from laws.nights import MONDAY, NOW, TUESDAY, copied
from lifestage.platform.errors import StorageError
from lifestage.platform.storage import lock
from lifestage.project.opening import Request
from lifestage.project.runner import execute
from support.faults import Fault, FaultyDeltaStore, ProcessEndedError
from support.projects import TestProject

STEPS = ("reference", "ingest")
TABLES = ("members", "rejected_events", "event_versions", "events", "ingest_ledger")
NIGHT = datetime.fromisoformat(NOW)
DAYS = {day: date.fromisoformat(day) for day in (MONDAY, TUESDAY)}
CLOCKS = ("ingested_at", "superseded_at")
WRITES = ("put", "put_all", "put_once", "put_exchange", "restore", "add")
DEAD_AFTER = timedelta(hours=6)


def request(run_id, now=NIGHT, wall_clock=NIGHT, steps=STEPS):
    return Request(run_id, (DAYS[TUESDAY],), now, wall_clock, steps)


def night(project, run_id="night", store=None, **clocks):
    """Tuesday's run."""
    opened = replace(project.project, store=store) if store else project.project
    execute(opened, request(run_id, **clocks), lambda *_: None)


def rows_of(project, without=()):
    """The rows of all tables as text, without what tells one run from another."""
    found = {}
    for name in TABLES:
        rows = project.read(name)
        found[name] = sorted(map(str, rows.drop("table_versions", *without).collect()))
    return found


def mount(*options):
    return subprocess.run(["mount", *map(str, options)], check=False, capture_output=True).returncode == 0


class WriteFault(Fault):
    """What goes wrong at the n-th write of a run, whatever its table."""

    def is_at(self, operation, tables):
        return operation in WRITES and tables != ["run_lock"]


class AnyFault(Fault):
    """What goes wrong at the n-th operation of a run."""

    def is_at(self, _operation, tables):
        return tables != ["run_lock"]


@dataclass
class Scene:
    """A copy of the root before Tuesday's run, and what a seed decides."""

    project: TestProject
    random: Random
    disks: list[Path] = field(default_factory=list)
    """File systems that were mounted for the scene."""
    met: list[str] = field(default_factory=list)
    """The faults that runs met, in order, for messages."""

    @property
    def store(self):
        return self.project.project.store

    @property
    def run_lock(self):
        return self.project.project.tables["run_lock"]

    def folder_of(self, table):
        return self.project.folder / "tables" / table

    def commits(self):
        """The commits of every table but the lock's, which each try takes."""
        logs = (self.project.folder / "tables").glob("*/_delta_log/*.json")
        return {log for log in logs if log.parts[-3] != "run_lock"}

    def choose(self, *kinds):
        return self.random.choice(kinds)

    def run(self, fault=None, before=lambda *_: None):
        night(self.project, store=FaultyDeltaStore(self.store, fault, before))

    def run_into(self, fault, before=lambda *_: None):
        """A run that the fault ends, if it has so many operations left."""
        try:
            self.run(fault, before)
        except (ProcessEndedError, StorageError):
            self.met.append(f"{type(fault).__name__} {fault.kind} {fault.n}")

    @contextmanager
    def stops_before_it_writes(self, error, match):
        before = self.commits()
        with pytest.raises(error, match=match):
            yield
        assert self.commits() == before
        self.met.append(error.__name__)

    def end_holder(self):
        """Let the lock of a run that ended in this living process be that of a process that has ended."""
        holder = lock.read_holder(self.store, self.run_lock)
        if holder:
            ended = subprocess.Popen(["true"])
            ended.wait()
            newest = self.store.newest([self.run_lock])[self.run_lock.name]
            row = astuple(replace(holder, pid=ended.pid))
            self.store.swap(self.run_lock, [row], newest.commit.metadata, newest.version)

    def move(self, name):
        """Move the project, but for its landing folder, to a place that the session has not seen."""
        old = self.project.folder
        self.project = copied(self.project, f"{old.name}-{name}")
        # A disk of its own stays, empty.
        shutil.rmtree(old, ignore_errors=True)

    def move_to_own_disk(self):
        """Move the project to a small file system of its own. False where the system does not let the test mount one."""
        disk = self.project.folder.with_name(f"{self.project.folder.name}-disk")
        disk.mkdir()
        if mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", disk):
            self.disks.append(disk)
            self.move("disk")
        return bool(self.disks)

    def optimize(self, then=""):
        for name in TABLES:
            self.store.spark.sql(f"OPTIMIZE delta.`{self.folder_of(name)}`")
            if then:
                self.store.spark.sql(then.format(f"delta.`{self.folder_of(name)}`"))

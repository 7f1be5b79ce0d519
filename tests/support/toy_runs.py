"""Runs of a toy project on a store in memory: the real lock, ledger, job and completion around steps of a few rows."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

from pyspark.sql import types as T

from lifestage.ingestion.sources.deliveries import Delivery
from lifestage.ingestion.sources.ledger import (
    KNOWN_COLUMNS,
    LEDGER,
    VERSION_COLUMNS,
    commit_deliveries,
    read_ledger,
    roll_back_unfinished,
)
from lifestage.ingestion.sources.tables import INGEST_LEDGER
from lifestage.platform.config.models import Model
from lifestage.platform.job import Job
from lifestage.platform.run import Run
from lifestage.platform.storage import lock
from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.platform.storage.run_store import RunStore
from lifestage.platform.storage.store import Store
from lifestage.project.runner import complete_run
from lifestage.project.tables import RUN_LOCK, RUNS

FILED_AT = datetime(2026, 1, 1)
DEAD_AFTER = timedelta(hours=6)


class NoSettings(Model):
    """The toy project has none."""


NO_SETTINGS = SimpleNamespace(shared=NoSettings(), domains={})


def _table(name, mode, key, *columns, kind=Kind.DERIVED):
    declared = tuple(Column(column, type_, column, required=True) for column, type_ in columns)
    return Table(name, kind, name, declared, key, mode)


AS_OF = ("as_of", T.DateType())
SALES = _table("sales", WriteMode.APPEND, ("file",), ("file", T.StringType()), ("delivery_no", T.LongType()))
TOTALS = _table("user_features", WriteMode.PARTITIONS, ("as_of",), AS_OF, ("n", T.LongType()))
SNAPSHOTS = _table(
    "snapshots",
    WriteMode.APPEND,
    ("snapshot_id",),
    ("snapshot_id", T.StringType()),
    AS_OF,
    ("revision", T.LongType()),
    ("n", T.LongType()),
    kind=Kind.FROZEN,
)
# No step writes it: no subject is touched.
SUBJECT_DAYS = _table("activity_days", WriteMode.APPEND, ("subject",), ("subject", T.StringType()))
TABLES = {each.name: each for each in (RUNS, RUN_LOCK, INGEST_LEDGER, SUBJECT_DAYS, SALES, TOTALS, SNAPSHOTS)}


@dataclass(frozen=True)
class Driver:
    """One process that makes one run."""

    run_id: str
    as_of: date
    wall_clock: datetime
    host: str = "one"
    files: tuple[str, ...] = ()
    """Files that have landed."""

    @property
    def holder(self) -> lock.Holder:
        """A process on a host of its own, so that only time tells others whether it is alive."""
        return lock.Holder(self.run_id, f"{self.host} of {self.run_id}", 1, None, self.wall_clock)

    def run(self, store: Store) -> None:
        """A run from lock to lock, as the runner makes it."""
        acquired = lock.acquire(store, RUN_LOCK, self.holder, DEAD_AFTER)
        try:
            self._run(RunStore(store))
        finally:
            acquired.release()

    def _run(self, store: Store) -> None:
        roll_back_unfinished(store, [SALES], store.read_rows(INGEST_LEDGER, VERSION_COLUMNS))
        earlier = {day for row in store.read_rows(RUNS) for day in row["as_of_dates"]} - {self.as_of}
        run = Run(
            self.run_id,
            (self.as_of,),
            self.wall_clock,
            dates_to_keep=tuple(sorted(earlier)),
            attempt=str(self.wall_clock),
        )
        commits: dict[str, int] = {}
        for step in (self._ingest, _build, _publish):
            job = Job(
                step.__name__, run, store, TABLES, frozenset(TABLES), frozenset(TABLES), commits=commits
            )
            step(job)
            job.count_rows()
        project = SimpleNamespace(store=store, tables=TABLES, config=NO_SETTINGS)
        complete_run(project, SimpleNamespace(seconds={}, bytes_written={}), run, commits)

    def _ingest(self, job: Job) -> None:
        ledger = read_ledger(job.read_rows(LEDGER, KNOWN_COLUMNS))
        known = {path for _, path, _, _ in ledger.files}
        fresh = [file for file in self.files if file not in known]
        deliveries = [
            Delivery(ledger.last_delivery_no + n, "till", file, 1, FILED_AT, f"sha of {file}")
            for n, file in enumerate(fresh, 1)
        ]
        if deliveries:
            job.write("sales", [(each.path, each.delivery_no) for each in deliveries])
            commit_deliveries(job, deliveries, "events", {}, ["sales"])


def _build(job: Job) -> None:
    sales = job.read_rows("sales")
    last = max((row["delivery_no"] for row in sales), default=0)
    job.write_as_of("user_features", [(job.run.as_of, len(sales))], delivery_no=last)


def _publish(job: Job) -> None:
    (n,) = [row["n"] for row in job.read_rows("user_features") if row["as_of"] == job.run.as_of]
    mine = [row for row in job.read_rows("snapshots") if row["as_of"] == job.run.as_of]
    newest = max(mine, key=lambda row: row["revision"], default=None)
    if newest is None or newest["n"] != n:
        revision = newest["revision"] + 1 if newest else 1
        job.write("snapshots", [(f"{job.run.as_of}.r{revision}", job.run.as_of, revision, n)])


NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

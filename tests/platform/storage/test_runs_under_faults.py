"""Runs whose process, storage or timing fails at any operation, played at random on a store in memory.

A failing case is printed as a sequence of rules, with a `@reproduce_failure` line that replays it: put that line above
`Runs`, and run this file again.
"""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lifestage.ingestion.sources.tables import INGEST_LEDGER
from lifestage.platform.errors import ConcurrentWriteError, RunLockedError, StorageError
from lifestage.platform.storage.lock import read_holder
from lifestage.platform.storage.memory import MemoryStore
from lifestage.project.tables import RUN_LOCK, RUNS
from lifestage.services.completed import find_last_run
from support.faults import Fault, FaultyStore, Kind, ProcessEndedError
from support.toy_runs import DEAD_AFTER, NOON, SALES, SNAPSHOTS, TABLES, TOTALS, Driver

DAYS = [date(2026, 6, 1) + timedelta(days=n) for n in range(3)]


def places():
    """Every operation and table of a run, with writes first: there it matters most what fails."""
    found = {("restore", "sales"): None}
    record = lambda operation, tables: found.update({(operation, name): None for name in tables})  # noqa: E731
    Driver("r0", DAYS[0], NOON, files=("file",)).run(FaultyStore(MemoryStore(), before=record))
    return sorted(found, key=lambda place: (not place[0].startswith(("put", "restore")), place))


PLACES = st.sampled_from(places())
FAULTS = st.builds(
    lambda kind, place, n: Fault(kind, *place, n), st.sampled_from(Kind), PLACES, st.sampled_from([1, 1, 2])
)
DRIVERS = st.tuples(
    st.sampled_from(["r1", "r2", "r3", "r4"]), st.sampled_from(DAYS), st.sampled_from(["one", "two"])
)


class Runs(RuleBasedStateMachine):
    """Files land, runs come and go, and readers look at every moment."""

    def __init__(self):
        super().__init__()
        self.store = MemoryStore()
        self.files = ()
        self.clock = NOON
        self.published = {}
        self.seen = None

    @rule(n=st.integers(1, 2))
    def files_land(self, n):
        self.files += tuple(f"file {len(self.files) + each}" for each in range(n))

    @rule(hours=st.sampled_from([1, 7]))
    def time_passes(self, hours):
        self.clock += timedelta(hours=hours)

    @rule(name=st.sampled_from(sorted(TABLES)))
    def another_tool_commits(self, name):
        """OPTIMIZE: a commit without metadata that changes no row."""
        if version := self.store.version(TABLES[name]):
            self.store.restore(TABLES[name], version)

    @rule(driver=DRIVERS)
    def a_run_is_undisturbed(self, driver):
        self.play(driver, None)

    @rule(driver=DRIVERS, fault=FAULTS)
    def a_run_meets_a_fault(self, driver, fault):
        self.play(driver, fault)

    @rule(driver=DRIVERS, other=DRIVERS, place=PLACES, fault=st.none() | FAULTS)
    def two_runs_meet(self, driver, other, place, fault):
        """Another run starts in the middle of one, before an operation of it. It may end there with the lock."""
        others = []

        def start_other(operation, tables):
            # Of one name on one host they would be one process.
            is_same = (other[0], other[2]) == (driver[0], driver[2])
            if others or operation != place[0] or place[1] not in tables or is_same:
                return
            others.append(other)
            was_held = self.is_held_against(other)
            is_done = self.play(other, fault)
            assert not (is_done and was_held)
            others.append(self.is_held_against(driver))

        is_done = self.play(driver, None, start_other, has_company=True)
        assert not (is_done and others and others[-1])

    def is_held_against(self, driver):
        """Whether another process holds the lock and counts as alive, even if its run has the same name."""
        run_id, day, host = driver
        me = Driver(run_id, day, self.clock, host).holder
        holder = read_holder(self.store, RUN_LOCK)
        return holder is not None and holder.host != me.host and self.clock - holder.taken_at < DEAD_AFTER

    def play(self, driver, fault, before=lambda *_: None, has_company=False):
        """One run. Returns whether it was done; checks what a run that was done leaves.

        With company, another run may release the lock before this one asks for it.
        """
        run_id, day, host = driver
        self.clock += timedelta(seconds=1)
        run = Driver(run_id, day, self.clock, host, self.files)
        was_held = self.is_held_against(driver)
        try:
            run.run(FaultyStore(self.store, fault, before))
        except (RunLockedError, StorageError, ProcessEndedError):
            return False
        assert has_company or not was_held
        assert sorted(row["file"] for row in self.store.read_rows(SALES)) == sorted(run.files)
        assert sorted(row["path"] for row in self.store.read_rows(INGEST_LEDGER)) == sorted(run.files)
        assert [row for row in self.store.read_rows(RUNS) if row["run_id"] == run_id]
        assert read_holder(self.store, RUN_LOCK) is None
        return True

    @invariant()
    def every_delivery_is_in_the_ledger_once(self):
        paths = [row["path"] for row in self.store.read_rows(INGEST_LEDGER)]
        numbers = [row["delivery_no"] for row in self.store.read_rows(INGEST_LEDGER)]
        assert len(paths) == len({*paths})
        assert sorted(numbers) == [*range(1, len(numbers) + 1)]

    @invariant()
    def readers_see_a_whole_run(self):
        run = find_last_run(SimpleNamespace(store=self.store, tables=TABLES))
        if run is None:
            assert self.seen is None
            return
        versions = run.table_versions
        sales = self.store.read_rows(SALES, version=versions["sales"])
        assert len(sales) == len({row["file"] for row in sales})
        totals = self.store.read_rows(TOTALS, version=versions["user_features"])
        assert {row["as_of"]: row["n"] for row in totals}[run.as_of_dates[-1]] == len(sales)
        # What was delivered never disappears from readers.
        assert self.seen is None or self.seen <= {row["file"] for row in sales}
        self.seen = {row["file"] for row in sales}

    @invariant()
    def a_published_snapshot_never_changes(self):
        found = {}
        for row in self.store.read_rows(SNAPSHOTS):
            assert row["snapshot_id"] not in found
            found[row["snapshot_id"]] = row["n"]
        assert self.published.items() <= found.items()
        self.published = found

    @invariant()
    def a_run_has_one_row(self):
        ids = [row["run_id"] for row in self.store.read_rows(RUNS)]
        assert len(ids) == len({*ids})


@pytest.mark.parametrize("place", [("put", "sales"), ("put_once", "ingest_ledger")])
def test_two_live_runs_of_one_name_store_nothing_twice(place):
    """The lock of a slow run was taken over: the second run of that name meets it before or after its rows."""
    store, others = MemoryStore(), []
    slow = Driver("nightly", DAYS[0], NOON, "one", ("file",))

    def start_other(operation, tables):
        if operation == place[0] and place[1] in tables and not others:
            others.append(Driver("nightly", DAYS[0], NOON + timedelta(hours=7), "two", ("file",)))
            others[0].run(FaultyStore(store))

    with pytest.raises(ConcurrentWriteError, match="ingest_ledger: another run has already written number 1"):
        slow.run(FaultyStore(store, before=start_other))
    Driver("next", DAYS[1], NOON + timedelta(hours=8), "one", ("file",)).run(FaultyStore(store))
    assert [row["file"] for row in store.read_rows(SALES)] == ["file"]
    assert [row["path"] for row in store.read_rows(INGEST_LEDGER)] == ["file"]


def test_a_run_that_finds_rows_of_another_run_records_nothing():
    """Another process writes sales after this one did, and before it records its deliveries."""
    store, written = MemoryStore(), []
    slow = Driver("nightly", DAYS[0], NOON, "one", ("file",))

    def write_too(operation, tables):
        if operation == "put" and "sales" in tables:
            written.append(None)
        elif operation == "logs" and "sales" in tables and len(written) == 1:
            written.append(None)
            store.write(SALES, [("file", 1)], {"run_id": "nightly", "attempt": "another"})

    with pytest.raises(
        ConcurrentWriteError, match="sales: another process wrote version 2 while run nightly"
    ):
        slow.run(FaultyStore(store, before=write_too))
    assert store.read_rows(INGEST_LEDGER) == []


def play(examples):
    run_state_machine_as_test(
        Runs,
        settings=settings(
            max_examples=examples,
            stateful_step_count=15,
            deadline=None,
            print_blob=True,
            suppress_health_check=[*HealthCheck],
        ),
    )


def test_runs_survive_faults():
    play(200)


@pytest.mark.slow
def test_runs_survive_faults_in_thousands_of_cases():
    play(5000)

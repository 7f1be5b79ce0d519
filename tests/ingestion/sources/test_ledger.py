from datetime import UTC, date, datetime

import pytest

from lifestage.ingestion.sources.deliveries import Delivery
from lifestage.ingestion.sources.ledger import (
    LEDGER,
    commit_deliveries,
    read_committed_versions,
    read_ledger,
    roll_back_unfinished,
)
from lifestage.ingestion.sources.tables import INGEST_LEDGER
from lifestage.platform.job import Job
from lifestage.platform.run import Run
from support.frames import assert_rows
from support.sales import JANUARY, SALES, sales

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)
CHANGED_AT = datetime(2026, 1, 4, 3)


@pytest.fixture
def job(store):
    tables = {"sales": SALES, LEDGER: INGEST_LEDGER}
    return Job(
        "ingest", Run("r1", (date(2026, 1, 4),), NOW), store, tables, frozenset(tables), frozenset(tables)
    )


def delivery(number, known_as=None, fingerprint=None):
    return Delivery(
        number, "till", f"file:/l/{number}.csv", 10, CHANGED_AT, fingerprint or f"sha-{number}", known_as
    )


def roll_back(job):
    roll_back_unfinished(job.store, [SALES], job.read_rows(LEDGER))


def rows_of(job):
    return job.read("sales").select("id")


def test_committed_deliveries_are_listed_and_uncommitted_writes_are_rolled_back(spark, job):
    job.write("sales", sales(spark, ("never committed", 1, JANUARY)))
    roll_back(job)
    assert rows_of(job).isEmpty()
    version = job.write("sales", sales(spark, ("a", 1, JANUARY))).version
    deliveries = [delivery(1), delivery(2, known_as=1, fingerprint="sha-1")]
    commit_deliveries(job, deliveries, "events", {1: {"n_rows": 1, "reasons": {"rule:x": 1}}}, ["sales"])
    job.write("sales", sales(spark, ("half done", 2, JANUARY)))
    roll_back(job)
    assert_rows(rows_of(job), [("a",)])
    known = read_ledger(job.read_rows(LEDGER))
    assert known.last_delivery_no == 2
    assert known.files == {("till", f"file:/l/{number}.csv", 10, CHANGED_AT) for number in (1, 2)}
    assert known.contents == {("till", "sha-1"): 1}
    assert read_committed_versions(job.read_rows(LEDGER)) == {"sales": version}
    entries = job.read(LEDGER).select(
        "delivery_no", "kind", "known_as", "n_rows", "reasons", "table_versions"
    )
    expected = [
        (1, "events", None, 1, {"rule:x": 1}, {"sales": version}),
        (2, "known", 1, None, None, {"sales": version}),
    ]
    assert_rows(entries, expected)


def test_an_empty_ledger_lists_nothing(job):
    known = read_ledger(job.read_rows(LEDGER))
    assert (known.last_delivery_no, known.files, known.contents) == (0, set(), {})


def test_a_step_reads_and_writes_only_what_it_declares(job):
    with pytest.raises(KeyError, match="step ingest does not declare table events"):
        job.read("events")

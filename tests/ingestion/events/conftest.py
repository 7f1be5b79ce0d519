"""One till over a few days: corrections, deletes, a copied file, a run that died, and a run below the gate."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import StringIO

import pytest
from pyspark.sql import SparkSession

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.tables import EVENTS
from lifestage.ingestion.sources.config import SOURCES
from lifestage.platform.errors import CheckError
from support.frames import build
from support.projects import TestProject, delta_store, make_project

STEPS = ("ingest",)
CARDS = ("card-of-anna", "card-of-bo", "card-of-cy")


@dataclass(frozen=True)
class Story:
    """The project after its last run, with the events after each run and the logs."""

    project: TestProject
    after: dict[str, list[tuple[object, ...]]]
    refusal: str
    log: str
    spark_log: str


def line(receipt: str, **columns: object) -> dict[str, object]:
    """Build one line of the till, complete by default."""
    defaults = {
        "line": 1,
        "version": 1,
        "deleted": "false",
        "card": CARDS[0],
        "kind": "purchase",
        "product": "p",
    }
    return {
        **defaults,
        "receipt": receipt,
        "at": "2026-03-10T12:00:00-04:00",
        "quantity": 1,
        "amount": 10,
        **columns,
    }


FIRST = [line("r1"), line("r1"), line("r2", card=CARDS[1], amount=20), line("r3", card=CARDS[2], amount="x")]
SECOND = [
    line("r1", version=2, at="2026-03-11T00:30:00-04:00", amount=15),
    line("r1", version=0, amount=99),
    line("r2", card=CARDS[1], version=2, deleted="true"),
    line("r4", card=""),
]
THIRD = [line("r5", card=CARDS[1], at="2026-02-01T12:00:00-05:00")]
BAD = [line("r6"), line("r7", amount="y", card=CARDS[2])]


@pytest.fixture(scope="session")
def story(
    spark_session: SparkSession, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Story]:
    # On Delta: what its log and its files hold is searched for identifiers.
    folder = tmp_path_factory.mktemp("story") / "shop"
    project = make_project(spark_session, folder, store=delta_store(spark_session, folder))
    log = StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    spark_session.sparkContext.setLogLevel("INFO")
    project.deliver("2026-03-10.csv", FIRST)
    project.run("2026-03-10", steps=STEPS)
    spark_session.sparkContext.setLogLevel("ERROR")
    spark_log = "".join(request.config.pluginmanager.getplugin("capturemanager").read_global_capture() or ())
    after = {"first": events_of(project)}
    project.deliver("2026-03-10 copy.csv", FIRST)
    project.deliver("2026-03-11.csv", SECOND)
    project.run("2026-03-11", steps=STEPS)
    after["second"] = events_of(project)
    _write_events_without_ledger_row(project)
    after["died"] = events_of(project)
    project.deliver("2026-03-12.csv", THIRD)
    project.run("2026-03-12", steps=STEPS)
    after["third"] = events_of(project)
    bad = project.deliver("2026-03-13.csv", BAD)
    with pytest.raises(CheckError) as refused:
        _with_strict_gate(project).run("2026-03-13", steps=STEPS)
    after["refused"] = events_of(project)
    root.removeHandler(handler)
    root.setLevel(level)
    yield Story(project, after, str(refused.value), log.getvalue(), spark_log)
    bad.unlink()


def events_of(project: TestProject) -> list[tuple[object, ...]]:
    """Return receipt, day, delivery and amount of each event."""
    rows = project.read("events").select("order_id", "event_date", "delivery_no", "amount").collect()
    return sorted((row[0], f"{row[1]:%d %b}", row[2], str(row[3])) for row in rows)


def _write_events_without_ledger_row(project: TestProject) -> None:
    """Do what a run does that dies between its commits: write events without a ledger row."""
    store = project.project.store
    rows = build(
        store.spark, EVENTS, [{"event_id": "half", "source": "till", "order_id": "half", "delivery_no": 4}]
    )
    store.write(EVENTS, rows, {"run_id": "dead", "step": "ingest"})


def _with_strict_gate(project: TestProject) -> TestProject:
    """Return the project with a gate of 95 %."""
    config = project.project.config
    till = config.parts[SOURCES]["till"].model_copy(update={"gate": 0.95})
    config = config.replace_of(IngestConfig, sources={"till": till})
    return replace(project, project=replace(project.project, config=config))

"""One story of a quarantine: what two deliveries had rejected, and what two replays made of it."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from lifestage.cli.quarantine import Quarantine, RejectedRow, quarantined, rejected_rows, replay_waiting
from lifestage.ingest.replay import Choice, Replayed
from support.projects import TILL, TestProject, make_project

WALL_CLOCK = datetime(2026, 6, 1, tzinfo=UTC)
MARCH, JUNE, JULY = (datetime(2026, month, 1, 12, tzinfo=UTC) for month in (3, 6, 7))

CALLS = """
path: calls/*.jsonl
format: json
columns: {at: timestamp, kind: string, card: string, day: string}
identifiers: {member: card}
map: {event_type: kind, event_at: at, channel: "'call'", order_id: file_name}
gate: 0
"""
GIFT = "gift: {description: A gift was handed out, by: business}"
GIFT_CALL = json.dumps({"at": "2026-02-03T10:00:00Z", "kind": "gift", "card": "c7"})


@dataclass(frozen=True)
class Story:
    """The project as it ended, and what was seen on the way."""

    project: TestProject
    waiting_at_first: list[Quarantine]
    rows_at_first: list[RejectedRow]
    late_replay: list[Replayed]
    second_replay: list[Replayed]
    waiting_at_last: list[Quarantine]


def line(receipt, version, at, amount="5.00", deleted="false"):
    return {
        "receipt": receipt,
        "line": 1,
        "version": version,
        "deleted": deleted,
        "card": "c1",
        "at": at,
        "kind": "purchase",
        "amount": amount,
    }


@pytest.fixture(scope="session")
def story(spark_session, tmp_path_factory):
    """March: good lines, one without an amount that is a number, and calls of a type that nobody declared.

    June: a correction and a delete of lines from before the lookback, and the calls once more in another file. Then
    what came too late is replayed; then the type is declared, and the rest is.
    """
    folder = tmp_path_factory.mktemp("quarantine") / "p"
    sources = {"till": TILL, "calls": CALLS}
    project = make_project(spark_session, folder, sources)
    good = [line("r1", 1, "2026-01-05T12:00:00-05:00"), line("r3", 1, "2026-01-06T12:00:00-05:00")]
    project.deliver("march.csv", [*good, line("r2", 1, "2026-02-02T12:00:00-05:00", amount="five")])
    project.write("calls/one.jsonl", f"{GIFT_CALL}\n{GIFT_CALL}\n")
    project.run("2026-02-28", MARCH.isoformat(), steps=["ingest"])
    corrected = line("r1", 2, "2026-01-05T12:00:00-05:00", amount="7.00")
    deleted = line("r3", 2, "2026-01-07T12:00:00-05:00", deleted="true")
    project.deliver("june.csv", [corrected, deleted])
    project.write("calls/two.jsonl", f"{GIFT_CALL}\n{GIFT_CALL}\n{GIFT_CALL}\n")
    project.run("2026-05-31", JUNE.isoformat(), steps=["ingest"])
    waiting_at_first = quarantined(project.project)
    rows_at_first = rejected_rows(project.project, "till", limit=1)
    too_late = Choice(source="till", reason="correction_too_late")
    late_replay = replay_waiting(project.project, too_late, JULY, WALL_CLOCK)
    project = replace(project, project=make_project(spark_session, folder, sources, event_types=GIFT).project)
    second_replay = replay_waiting(project.project, Choice(), JULY, WALL_CLOCK)
    return Story(project, waiting_at_first, rows_at_first, late_replay, second_replay, quarantined(project.project))

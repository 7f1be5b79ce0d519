"""A quarantine as two months of deliveries left it, made by hand: no run is needed to have rows that wait."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from lifestage.ingestion.events.rejected import RejectedRows
from lifestage.ingestion.events.replay import ReplayFilter, ReplayResult
from lifestage.services.quarantine import RejectedRow, list_rejected, read_rejected, replay_rejected
from support.frames import build
from support.projects import TILL, TILL_COLUMNS, TestProject, make_project

WALL_CLOCK = datetime(2026, 6, 1, tzinfo=UTC)
JUNE, JULY = (datetime(2026, month, 1, 12, tzinfo=UTC) for month in (6, 7))
TOO_LATE, NO_AMOUNT = "correction_too_late", "not_a_decimal:amount"
NO_TYPE, MALFORMED = "unknown_event_type", "malformed"

CALLS = """
path: calls/*.jsonl
format: json
columns: {at: timestamp, kind: string, card: string}
identifiers: {member: card}
map: {event_type: kind, event_at: at, channel: "'call'", order_id: file_name}
gate: 0
"""
SOURCES = {"till": TILL, "calls": CALLS}
GIFT = "gift: {description: A gift was handed out, by: business}"
GIFT_CALL = json.dumps({"at": "2026-02-03T10:00:00Z", "kind": "gift", "card": "c7"})


def line(receipt, version, at, amount="5.00", deleted="false"):
    """A line of the till."""
    row = {"receipt": receipt, "line": 1, "version": version, "deleted": deleted, "card": "c1", "at": at}
    return row | {"kind": "purchase", "amount": amount}


CORRECTED = line("r1", 2, "2026-01-05T12:00:00-05:00", amount="7.00")
DELETED = line("r3", 2, "2026-01-07T12:00:00-05:00", deleted="true")
BROKEN = line("r2", 1, "2026-02-02T12:00:00-05:00", amount="five")


def rejected(source, delivery_no, row_id, reason, text):
    """A row of rejected_events under the quarantine key of the tests."""
    raw = text if isinstance(text, str) else ",".join(str(text.get(column, "")) for column in TILL_COLUMNS)
    encrypted = bytearray(AESSIV(bytes.fromhex("22" * 32)).encrypt(raw.encode(), None))
    row = {"rejected_id": row_id, "source": source, "delivery_no": delivery_no, "ingested_at": JUNE}
    return row | {"reasons": [reason], "raw": encrypted}


REJECTED = [
    rejected("till", 1, "broken", NO_AMOUNT, BROKEN),
    rejected("calls", 2, "call-1", NO_TYPE, GIFT_CALL),
    rejected("calls", 2, "call-2", NO_TYPE, GIFT_CALL),
    rejected("calls", 2, "cut-off", MALFORMED, GIFT_CALL[:20]),
    rejected("till", 3, "corrected", TOO_LATE, CORRECTED),
    rejected("till", 3, "deleted", TOO_LATE, DELETED),
    *[rejected("calls", 4, f"call-{n}", NO_TYPE, GIFT_CALL) for n in (1, 2, 3)],
]


def delivery(number, path, n_rejected, versions):
    source = path.partition("/")[0]
    row = {"delivery_no": number, "source": source, "kind": "events", "path": f"file:/landing/{path}"}
    counts = {"n_rows": n_rejected, "n_rejected": n_rejected}
    counts |= dict.fromkeys(
        ["n_accepted", "n_replaced", "n_superseded", "n_duplicate", "n_skipped", "n_suppressed"], 0
    )
    return row | counts | {"ingested_at": JUNE, "table_versions": versions}


@dataclass(frozen=True)
class Episode:
    """What waited, what was seen of it, and what a replay of the calls made once their type was declared."""

    project: TestProject
    waiting_before: list[RejectedRows]
    rows_before: list[RejectedRow]
    replayed: list[ReplayResult]


@pytest.fixture(scope="session")
def episode(spark_session, tmp_path_factory):
    folder = tmp_path_factory.mktemp("quarantine") / "p"
    project = make_project(spark_session, folder, SOURCES).project
    store, tables = project.store, project.tables

    def write(name, rows):
        return store.write(tables[name], build(store.spark, tables[name], rows), {"run_id": "r"}).version

    files = ["till/march.csv", "calls/one.jsonl", "till/june.csv", "calls/two%20b.jsonl"]
    versions = {"rejected_events": write("rejected_events", REJECTED)}
    counts = [sum(row["delivery_no"] == n for row in REJECTED) for n in range(1, 5)]
    write("ingest_ledger", [delivery(n, files[n - 1], counts[n - 1], versions) for n in range(1, 5)])
    waiting, rows = list_rejected(project), read_rejected(project, "till", limit=1)
    better = make_project(spark_session, folder, SOURCES, store=store, event_types=GIFT)
    done = replay_rejected(better.project, ReplayFilter("calls"), JULY, WALL_CLOCK)
    return Episode(better, waiting, rows, done)


def with_key(project, key):
    """The project under another quarantine key."""
    return replace(project, secrets=replace(project.secrets, quarantine_key=key))

"""Rejected rows whose corrected version is in: doctor and the list no longer count them as waiting."""

import pytest

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.diagnose import diagnose_events
from lifestage.platform.errors import ConfigError
from lifestage.platform.findings import Examination, Level
from lifestage.services.quarantine import list_rejected, read_rejected
from services.conftest import BROKEN, CORRECTED, NO_AMOUNT, TOO_LATE, delivery, line, rejected, with_key
from support.frames import build
from support.projects import TILL, make_project


@pytest.fixture
def project(spark, tmp_path):
    """Three rows wait: `broken` came again and was accepted, `again` did not, `late` is itself a correction of an event."""
    made = make_project(spark, tmp_path / "p", {"till": TILL}).project
    again = line("r9", 1, "2026-02-02T12:00:00-05:00", amount="six")
    rows = [rejected("till", 2, "broken", NO_AMOUNT, BROKEN), rejected("till", 2, "again", NO_AMOUNT, again)]
    rows += [rejected("till", 2, "late", TOO_LATE, CORRECTED)]
    events = [("r2|1", 3), ("r1|1", 1), ("r9|2", 3)]
    tables = {
        "rejected_events": rows,
        "ingest_ledger": [delivery(n, f"till/{n}.csv", len(rows) if n == 2 else 0, {}) for n in (1, 2, 3)],
        "events": [{"source": "till", "event_id": key, "delivery_no": number} for key, number in events],
    }
    for name, content in tables.items():
        made.store.write(made.tables[name], build(spark, made.tables[name], content), {"run_id": "r"})
    return made


def finding(project, is_fast=False, secrets=None):
    root = Examination(project.store, project.tables, None, is_fast, secrets)
    return next(diagnose_events(root, project.config.of(IngestConfig)))


def test_a_row_whose_corrected_version_is_in_waits_no_longer(project):
    [till] = list_rejected(project)
    assert (till.n_waiting, till.n_corrected, till.n_replayed) == (2, 1, 0)
    assert {reason.reason: reason.n_rows for reason in till.reasons} == {NO_AMOUNT: 1, TOO_LATE: 1}
    assert ["r9" in row.raw or "r1" in row.raw for row in read_rejected(project, "till", 9)] == [True, True]
    assert "till: 2 rows wait" in finding(project, secrets=project.secrets).detail


def test_without_keys_and_in_a_fast_examination_every_row_waits(project):
    assert "till: 3 rows wait" in finding(project).detail
    assert "till: 3 rows wait" in finding(project, is_fast=True, secrets=project.secrets).detail


def test_another_quarantine_key_is_named(project):
    other = with_key(project, b"9" * 32)
    found = finding(other, secrets=other.secrets)
    assert (found.level, "the quarantine key is not the one" in found.detail) == (Level.PROBLEM, True)
    with pytest.raises(ConfigError):
        read_rejected(other, None, 9)

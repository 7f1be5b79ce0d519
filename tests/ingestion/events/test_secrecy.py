"""No key or identifier is in anything that a real run leaves behind (the runs are in conftest.py)."""

import base64
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ingestion.events.conftest import CARDS
from support.pseudonyms import pseudonym

pytestmark = pytest.mark.slow

KEYS = [bytes.fromhex(os.environ[f"LIFESTAGE_{name}_KEY"]) for name in ("PSEUDONYM", "QUARANTINE")]


def traces(text):
    """Return the identifiers, and the forms of keys and their pads, that a text holds."""
    blocks = [bytes(byte ^ pad for byte in KEYS[0].ljust(64, b"\0")) for pad in (0x36, 0x5C)]
    secrets = [key[:16] for key in (*KEYS, *blocks)]
    forms = [
        form
        for secret in secrets
        for form in (secret.hex(), base64.b64encode(secret)[:20].decode(), repr(secret)[2:-1])
    ]
    forms += [", ".join(str(byte) for byte in secret) for secret in secrets]
    return [form for form in (*forms, *CARDS) if form.lower() in text.lower()]


def pseudonyms():
    return [pseudonym(KEYS[0], "member", card) for card in CARDS]


def files(story, pattern):
    return sorted(Path(story.project.folder / "tables").rglob(pattern))


def test_the_search_finds_planted_traces(story):
    landed = "".join(file.read_text() for file in (story.project.folder / "landing").rglob("*.csv"))
    assert sorted(traces(landed)) == sorted(CARDS)
    assert KEYS[0].hex()[:32] in traces(f"key={KEYS[0].hex().upper()}")


def test_tables_hold_pseudonyms_and_no_identifier(story):
    values = "".join(str(pq.read_table(file).to_pylist()) for file in files(story, "*.parquet"))
    assert traces(values) == []
    assert [name for name in pseudonyms()[:2] if name not in values] == []


def test_the_delta_log_holds_no_identifier_not_even_as_a_pseudonym(story):
    log = "".join(file.read_text() for file in files(story, "_delta_log/*.json"))
    assert "event_month" in log
    assert traces(log) == []
    assert [name for name in pseudonyms() if name in log] == []


def test_the_lifestage_log_names_tables_but_no_persons_or_keys(story):
    assert "committed table=events version=1 rows=2" in story.log
    assert "rolling back unfinished writes after version" in story.log
    assert traces(story.log + story.refusal) == []


def test_the_spark_log_holds_no_persons_or_keys(story):
    if "INFO" not in story.spark_log:
        pytest.skip("pytest -s: the log of Spark is not captured")
    assert traces(story.spark_log) == []

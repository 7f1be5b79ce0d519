import json
from dataclasses import replace
from datetime import date, datetime

import pytest
from pyspark.sql import functions as F

from cli.conftest import JULY, WALL_CLOCK
from lifestage.cli.quarantine import quarantined, rejected_rows, replay_waiting
from lifestage.core.errors import ConfigError, NoDataError
from lifestage.core.job import Secrets
from lifestage.ingest.replay import Choice, waiting
from lifestage.tables.events import INGEST_LEDGER, REJECTED_EVENTS
from support.frames import assert_rows, build
from support.projects import make_project


def counts(item):
    return {reason.reason: reason.n_rows for reason in item.reasons}


def test_what_waits_is_counted_by_source_and_reason(story):
    calls, till = story.waiting_at_first
    assert (calls.source, calls.n_waiting, calls.n_replayed) == ("calls", 5, 0)
    assert counts(calls) == {"unknown_event_type": 5}
    assert counts(till) == {"correction_too_late": 2, "not_a_decimal:amount": 1}
    assert (till.reasons[0].first_read_on, till.reasons[1].last_read_on) == (date(2026, 6, 1), date(2026, 3, 1))


def test_a_row_is_shown_as_it_was_delivered(story):
    (row,) = story.rows_at_first
    assert row.raw == "r2,1,1,false,c1,2026-02-02T12:00:00-05:00,purchase,,,five"
    assert (row.source, row.reasons) == ("till", ("not_a_decimal:amount",))
    assert row.path.endswith("/landing/till/march.csv")


def test_a_replay_scans_the_past_for_what_came_too_late(story):
    (done,) = story.late_replay
    assert (done.source, done.delivery_no) == ("till", 5)
    assert (done.tally.n_rows, done.tally.outcomes["replaced"], done.tally.outcomes["rejected"]) == (2, 2, 0)
    events = story.project.read("events").where("source = 'till'")
    assert_rows(events.select("event_id", "version", "amount"), [("r1|1", 2, "7.00")])
    versions = story.project.read("event_versions").select("event_id", "superseded_by", "reason")
    assert_rows(versions, [("r1|1", 5, "corrected"), ("r3|1", 5, "deleted")])


def test_rows_pass_the_configuration_of_today_and_fail_again_where_they_must(story):
    calls, till = story.second_replay
    assert (calls.source, calls.delivery_no, till.source, till.delivery_no) == ("calls", 6, "till", 7)
    assert (calls.tally.outcomes["accepted"], till.tally.outcomes["rejected"]) == (3, 1)
    assert till.tally.reasons == {"not_a_decimal:amount": 1}


def test_equal_lines_of_two_files_are_as_many_as_the_file_with_most(story):
    """Delivered to a catalogue that knew their type, the second file would have added just the third one."""
    events = story.project.read("events").where("source = 'calls'")
    assert events.select("event_id").distinct().count() == events.count() == 3


def test_a_replayed_row_keeps_the_name_of_its_file(story):
    events = story.project.read("events").where("source = 'calls'").groupBy("order_id").count()
    assert_rows(events, [("one.jsonl", 2), ("two.jsonl", 1)])


def test_the_ledger_names_the_rows_and_accounts_for_each(story):
    ledger = story.project.read("ingest_ledger")
    replays = ledger.where("kind = 'replay'").select("delivery_no", F.size("replayed").alias("n"), "n_rows", "path")
    assert_rows(replays, [(5, 2, 2, None), (6, 3, 3, None), (7, 1, 1, None)])
    outcomes = F.expr("n_accepted + n_replaced + n_superseded + n_duplicate + n_rejected + n_suppressed")
    assert ledger.where(F.col("n_rows") != outcomes).isEmpty()


def test_what_failed_again_waits_and_the_rest_does_not(story):
    calls, till = story.waiting_at_last
    assert (calls.n_waiting, calls.n_replayed) == (0, 5)
    assert (till.n_waiting, till.n_replayed, counts(till)) == (1, 3, {"not_a_decimal:amount": 1})


def test_another_source_or_reason_is_refused_with_the_nearest(story):
    project = story.project.project
    with pytest.raises(ConfigError, match="--source: unknown source tills: did you mean till?"):
        quarantined(project, "tills")
    with pytest.raises(NoDataError, match="no row waits for the reason not_a_decimal: did you mean not_a_decimal:amount?"):
        replay_waiting(project, Choice(reason="not_a_decimal"), JULY, WALL_CLOCK)


def test_another_quarantine_key_is_refused(story):
    keys = story.project.project.secrets
    project = replace(story.project.project, secrets=Secrets(keys.pseudonym_key, b"3" * 32))
    for read in (lambda: rejected_rows(project, None, 1), lambda: replay_waiting(project, Choice(), JULY, WALL_CLOCK)):
        with pytest.raises(ConfigError, match="the quarantine key is not the one"):
            read()
    assert story.project.read("ingest_ledger").count() == 7


def test_where_nothing_was_rejected_nothing_is_replayed(spark_session, tmp_path):
    project = make_project(spark_session, tmp_path / "p").project
    assert replay_waiting(project, Choice(), JULY, WALL_CLOCK) == []
    assert quarantined(project) == []


def test_a_row_waits_until_a_later_replay_names_it(spark):
    rejected = build(
        spark,
        REJECTED_EVENTS,
        [
            {"rejected_id": name, "delivery_no": n, "reasons": ["malformed"]}
            for name, n in [("a", 1), ("a", 3), ("b", 1), ("c", 2), ("d", 9)]
        ],
    )
    ledger = build(
        spark,
        INGEST_LEDGER,
        [
            *[{"delivery_no": n, "kind": "events"} for n in (1, 3)],
            {"delivery_no": 2, "kind": "replay", "replayed": ["a", "c"]},
        ],
    )
    rows = waiting(rejected, ledger).select("rejected_id", "delivery_no")
    # a of 3 came after the replay, c of 2 failed in it again; d was written by a run that never committed.
    assert_rows(rows, [("a", 3), ("b", 1), ("c", 2)])


def test_lists_can_be_read_by_programs(story, monkeypatch, capsys):
    from lifestage.cli import quarantine

    monkeypatch.setattr(quarantine, "opened", lambda *_, **__: story.project.project)
    quarantine.list_rows(show=True, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert [item["n_waiting"] for item in told["sources"]] == [0, 1]
    assert told["rows"][0]["raw"].endswith("five")
    assert datetime.fromisoformat(told["sources"][1]["reasons"][0]["first_read_on"]).year == 2026

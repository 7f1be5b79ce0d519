import json
from datetime import date

import pytest
from pyspark.sql import functions as F

from lifestage.cli import quarantine
from lifestage.ingestion.events.replay import ReplayFilter, keep_waiting, select_ids
from lifestage.ingestion.sources.tables import INGEST_LEDGER, REJECTED_EVENTS
from lifestage.platform.errors import ConfigError, NoDataError
from lifestage.services.quarantine import list_rejected, read_rejected, replay_rejected
from services.conftest import (
    BROKEN,
    GIFT_CALL,
    JULY,
    MALFORMED,
    NO_AMOUNT,
    NO_TYPE,
    TOO_LATE,
    WALL_CLOCK,
    delivery,
    rejected,
    with_key,
)
from support.frames import assert_rows, build
from support.projects import TILL, make_project

pytestmark = pytest.mark.slow

MEMBERS = """
path: members/*.csv
format: csv
columns: {number: string, since: date}
key: [member]
valid_from: since
map: {member: number, since: since}
identifiers: {member: member}
gate: 0.5
"""


def counts(item):
    return {reason.reason: reason.n_rows for reason in item.reasons}


def rejected_frame(spark, rows):
    columns = ("rejected_id", "delivery_no", "source", "reasons", "raw")
    return build(spark, REJECTED_EVENTS, [dict(zip(columns, row, strict=True)) for row in rows])


def test_waiting_rows_are_counted_by_source_and_reason(episode):
    calls, till = episode.waiting_before
    assert (calls.source, calls.n_waiting, calls.n_replayed) == ("calls", 6, 0)
    assert (counts(calls), counts(till)) == ({NO_TYPE: 5, MALFORMED: 1}, {TOO_LATE: 2, NO_AMOUNT: 1})
    assert (till.reasons[0].first_read_on, till.reasons[1].last_read_on) == (
        date(2026, 6, 1),
        date(2026, 6, 1),
    )


def test_a_row_is_shown_as_it_was_delivered(episode):
    (row,) = episode.rows_before
    assert row.raw == "r2,1,1,false,c1,2026-02-02T12:00:00-05:00,purchase,,,five"
    assert (row.source, row.path, row.reasons) == ("till", "file:/landing/till/march.csv", (NO_AMOUNT,))


def test_a_replay_is_the_next_delivery_and_each_row_has_an_outcome(episode):
    (calls,) = episode.replayed
    assert (calls.source, calls.delivery_no, calls.counts.n_rows) == ("calls", 5, 4)
    assert {name: n for name, n in calls.counts.outcomes.items() if n} == {"accepted": 3, "rejected": 1}
    assert calls.counts.reasons == {MALFORMED: 1}


def test_equal_lines_of_two_files_count_as_in_the_file_with_most_of_them_and_keep_its_name(episode):
    """Delivered to a catalogue that knew their type, the second file would have added just the third one."""
    events = episode.project.read("events")
    assert events.select("event_id").distinct().count() == 3
    assert_rows(events.groupBy("order_id").count(), [("one.jsonl", 2), ("two b.jsonl", 1)])


def test_the_ledger_names_the_rows_and_accounts_for_each(episode):
    ledger = episode.project.read("ingest_ledger")
    replays = ledger.where("kind = 'replay'").select("delivery_no", "replayed", "n_rows", "path")
    assert_rows(replays, [(5, ["call-1", "call-2", "call-3", "cut-off"], 4, None)])
    outcomes = F.expr(
        "n_accepted + n_replaced + n_superseded + n_duplicate + n_rejected + n_skipped + n_suppressed"
    )
    assert ledger.where(F.col("n_rows") != outcomes).isEmpty()


def test_rows_that_fail_again_or_were_not_chosen_keep_waiting(episode):
    calls, till = list_rejected(episode.project.project)
    assert (calls.n_waiting, calls.n_replayed, counts(calls)) == (1, 6, {MALFORMED: 1})
    assert (till.n_waiting, till.n_replayed) == (3, 0)
    (row,) = read_rejected(episode.project.project, "calls", limit=9)
    assert (row.delivery_no, row.path, row.raw) == (5, None, GIFT_CALL[:20])


def test_the_list_of_rejected_rows_can_be_printed_as_json(episode, monkeypatch, capsys):
    monkeypatch.setattr(quarantine, "open_conf", lambda *_, **__: episode.project.project)
    quarantine.list_rows(source="till", as_json=True)
    (till,) = json.loads(capsys.readouterr().out)["sources"]
    assert (till["n_waiting"], till["reasons"][0]["first_read_on"]) == (3, "2026-06-01")


def test_another_source_is_refused_with_the_nearest(episode):
    with pytest.raises(ConfigError, match=r"--source: unknown source tills: did you mean till?"):
        list_rejected(episode.project.project, "tills")


def test_another_quarantine_key_is_refused(episode):
    project = with_key(episode.project.project, b"3" * 32)
    with pytest.raises(ConfigError, match="the quarantine key is not the one"):
        read_rejected(project, None, 1)
    with pytest.raises(ConfigError, match="the quarantine key is not the one"):
        replay_rejected(project, ReplayFilter(), JULY, WALL_CLOCK)


def test_nothing_is_replayed_if_nothing_was_rejected(spark_session, tmp_path):
    project = make_project(spark_session, tmp_path / "p").project
    assert replay_rejected(project, ReplayFilter(), JULY, WALL_CLOCK) == []
    assert list_rejected(project) == []


@pytest.fixture
def club(spark_session, tmp_path):
    """A project in which a row of a source waits, and two of a reference table."""
    club = make_project(spark_session, tmp_path / "p", {"till": TILL, "reference/members": MEMBERS}).project
    rows = [rejected("till", 2, "broken", NO_AMOUNT, BROKEN)]
    rows += [rejected("members", 1, f"m{n}", "not_a_date:since", f"{n},soon") for n in (1, 2)]
    versions = {}
    for name, table_rows in [
        ("rejected_events", rows),
        (
            "ingest_ledger",
            [delivery(1, "members/a.csv", 2, versions), delivery(2, "till/a.csv", 1, versions)],
        ),
    ]:
        table = club.tables[name]
        versions[name] = club.store.write(
            table, build(spark_session, table, table_rows), {"run_id": "r"}
        ).version
    return club


def said(command, capsys, **options):
    command(**options)
    return " ".join(capsys.readouterr().out.split())


def test_rows_of_a_reference_table_are_listed_but_not_replayed_and_the_command_says_so(
    club, monkeypatch, capsys
):
    monkeypatch.setattr(quarantine, "open_conf", lambda *_, **__: club)
    stays = "members is a reference table. Its rows (2) are not replayed"
    listed = said(quarantine.list_rows, capsys, source="members", show=True)
    assert "members, delivery 1, a.csv: not_a_date:since 1,soon" in listed
    assert stays in listed
    assert "lifestage quarantine replay" not in listed
    assert stays in said(quarantine.replay, capsys, source="members", now=JULY.isoformat())
    assert replay_rejected(club, ReplayFilter("members", "not_a_date:since"), JULY, WALL_CLOCK) == []
    (till,) = replay_rejected(club, ReplayFilter(), JULY, WALL_CLOCK)
    assert (till.source, till.counts.n_rows) == ("till", 1)
    assert [item.n_waiting for item in list_rejected(club)] == [2, 1]


def test_a_row_waits_until_a_later_replay_names_it(spark):
    places = [("a", 1), ("a", 3), ("b", 1), ("c", 2), ("d", 9)]
    rejected = rejected_frame(spark, [(name, number, "till", ["malformed"], b"x") for name, number in places])
    deliveries = [{"delivery_no": n, "kind": "events"} for n in (1, 3)]
    replay = {"delivery_no": 2, "kind": "replay", "replayed": ["a", "c"]}
    ledger = build(spark, INGEST_LEDGER, [*deliveries, replay])
    rows = keep_waiting(rejected, ledger).select("rejected_id", "delivery_no")
    # a of 3 came after the replay, c of 2 failed in it again; d was written by a run that never committed.
    assert_rows(rows, [("a", 3), ("b", 1), ("c", 2)])


def test_rows_are_chosen_by_source_and_reason_and_equal_texts_go_together(spark):
    rows = rejected_frame(
        spark,
        [
            ("a#1", 1, "till", [TOO_LATE], b"same"),
            ("a#2", 2, "till", [NO_AMOUNT], b"same"),
            ("b#1", 2, "till", [NO_AMOUNT], b"other"),
            ("c#1", 3, "calls", [TOO_LATE], b"same"),
        ],
    )

    def chosen(**choice):
        return {source: sorted(ids) for source, ids in select_ids(rows, ReplayFilter(**choice)).items()}

    assert chosen() == {"till": ["a#1", "a#2", "b#1"], "calls": ["c#1"]}
    assert chosen(source="till", reason=TOO_LATE) == {"till": ["a#1", "a#2"]}
    assert chosen(reason=NO_AMOUNT) == {"till": ["a#1", "a#2", "b#1"]}
    with pytest.raises(
        NoDataError, match=r"no row waits for the reason not_a_decimal: did you mean not_a_decimal:amount?"
    ):
        chosen(reason="not_a_decimal")

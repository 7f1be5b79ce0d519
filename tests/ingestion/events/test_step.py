"""The ingest step on real files and tables (the runs are in conftest.py)."""

import pytest

from support.frames import assert_rows

pytestmark = pytest.mark.slow

COUNTS = [
    "n_rows",
    "n_accepted",
    "n_replaced",
    "n_superseded",
    "n_duplicate",
    "n_rejected",
    "n_skipped",
    "n_suppressed",
]


def test_each_run_leaves_its_events(story):
    assert story.after["first"] == [("r1", "10 Mar", 1, "10.00"), ("r2", "10 Mar", 1, "20.00")]
    assert story.after["second"] == [("r1", "11 Mar", 3, "15.00"), ("r4", "10 Mar", 3, "10.00")]


def test_the_next_run_rolls_back_a_dead_run(story):
    assert [row[0] for row in story.after["died"]] == ["half", "r1", "r4"]
    assert story.after["third"] == [*story.after["second"], ("r5", "01 Feb", 4, "10.00")]


def test_the_ledger_accounts_for_every_row_of_every_file(story):
    ledger = story.project.read("ingest_ledger")
    assert_rows(
        ledger.select("delivery_no", "kind", "known_as", *COUNTS, "n_late"),
        [
            (1, "events", None, 4, 2, 0, 0, 1, 1, 0, 0, 0),
            (2, "known", 1, *[None] * 9),
            (3, "events", None, 4, 1, 2, 1, 0, 0, 0, 0, 0),
            (4, "events", None, 1, 1, 0, 0, 0, 0, 0, 0, 1),
        ],
    )
    accounted = ledger.where(f"n_rows <> {' + '.join(COUNTS[1:])}")
    assert accounted.isEmpty()
    changed = ledger.where("delivery_no = 3").selectExpr(
        "CAST(first_event_date AS STRING)", "CAST(last_event_date AS STRING)"
    )
    assert_rows(changed, [("2026-03-10", "2026-03-11")])


def test_removed_rows_are_kept_with_the_reason(story):
    columns = ["order_id", "version", "amount", "reason", "superseded_by", "superseded_by_version"]
    assert_rows(
        story.project.read("event_versions").select(*columns),
        [
            ("r1", 1, "10.00", "corrected", 3, 2),
            ("r2", 1, "20.00", "deleted", 3, 2),
            ("r1", 0, "99.00", "outdated", 3, 1),
        ],
    )


def test_the_gate_stops_the_run_before_anything_is_written(story):
    assert story.after["refused"] == story.after["third"]
    assert story.refusal.startswith("source till: 50.0% of 2 rows pass, the gate is 95%")
    assert "not_a_decimal:amount: 1 row, e.g. x9,9,9,xxxxx,xxxx-xx-xx," in story.refusal
    assert_rows(
        story.project.read("rejected_events").select("delivery_no", "reasons"),
        [(1, ["not_a_decimal:amount"])],
    )


def test_a_run_without_anything_new_writes_nothing(story):
    store, tables = story.project.project.store, story.project.project.tables
    ingested = ("events", "event_versions", "rejected_events", "ingest_ledger")
    bad = story.project.folder / "landing" / "till" / "2026-03-13.csv"
    held = bad.rename(story.project.folder / "held back.csv")
    before = {name: store.version(tables[name]) for name in ingested}
    story.project.run("2026-03-14", steps=("ingest",))
    assert {name: store.version(tables[name]) for name in ingested} == before
    held.rename(bad)

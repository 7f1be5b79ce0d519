from dataclasses import replace
from datetime import timedelta

from ingestion.events.section_builders import deliveries, delivery
from lifestage.ingestion.events.section import COUNTS, SECTION, list_deliveries, sum_valid
from lifestage.ingestion.sources.freshness import StaleSource
from lifestage.ingestion.sources.tables import INGEST_LEDGER
from lifestage.platform.reporting.grids import Chart, Look
from support.frames import build
from support.reporting import BEFORE, NOW, grid, labels, render_chapters, summarize, texts


def data_chapter(*found):
    return render_chapters(SECTION, deliveries(*found))["data"]


def entry(number, ingested_at=NOW, **columns):
    row = {
        "delivery_no": number,
        "source": "web",
        "kind": "events",
        "path": f"in/{number}.csv",
        "fingerprint": "x",
    }
    return {**row, "ingested_at": ingested_at, **columns}


def test_the_newest_delivery_comes_first_and_absent_counts_are_zero(spark):
    rows = [entry(1, NOW - timedelta(days=1), n_rows=5, reasons={"malformed": 2}), entry(2, path=None)]
    newest, oldest = list_deliveries(build(spark, INGEST_LEDGER, rows), NOW)
    assert (newest.number, newest.is_new, newest.reasons) == (2, True, {})
    assert newest.counts == dict.fromkeys(COUNTS, 0)
    assert (oldest.is_new, oldest.ingested_at, oldest.counts["n_rows"]) == (False, "2026-11-21 03:15", 5)
    assert oldest.reasons == {"malformed": 2}
    assert list_deliveries(build(spark, INGEST_LEDGER, []), NOW) == ()


def test_totals_are_of_all_deliveries_however_many(spark):
    days = [entry(n, NOW - timedelta(days=1), n_rows=1, n_accepted=1) for n in range(1, 2_502)]
    found = list_deliveries(build(spark, INGEST_LEDGER, days), NOW)
    so_far = grid(data_chapter(*found), "Delivered so far, deliveries 1 to 2501")
    assert [row[:3] for row in texts(so_far)] == [["web", "2,501", "2,501"]]


def test_valid_rows_leave_duplicates_out():
    assert sum_valid([delivery(n_rows=110, n_duplicate=10, n_rejected=5)]) == (95, 100)


def test_rows_that_are_replayed_are_received_once():
    """Of 100 rows 4 were rejected; of these 3 were replayed, and 2 became events."""
    first = delivery(1, n_rows=100, n_accepted=96, n_duplicate=0, n_rejected=4)
    again = replace(delivery(2, n_rows=3, n_accepted=2, n_duplicate=0, n_rejected=1), kind="replay")
    assert sum_valid([first]) == (96, 100)
    assert sum_valid([first, again]) == (98, 100)


def test_deliveries_add_up_by_source_and_those_of_this_run_apart():
    old = delivery(1, is_new=False, reasons={"malformed": 2}, n_rejected=2)
    chapter = data_chapter(delivery(3, source="pos"), delivery(2), old)
    assert [row[:3] for row in texts(grid(chapter, "Delivered in this run"))] == [
        ["pos", "1", "10"],
        ["web", "1", "10"],
    ]
    so_far = grid(chapter, "Delivered so far, deliveries 1 to 3")
    assert [row[:3] for row in texts(so_far)] == [["pos", "1", "10"], ["web", "2", "20"]]
    assert texts(grid(chapter, "Rejected rows by source"))[1:] == [
        ["web", "malformed", "2", "66.7%"],
        ["web", "missing:event_at", "1", "33.3%"],
    ]


def test_freshness_is_of_events_alone():
    reference = replace(delivery(2, source="products"), kind="reference")
    older = replace(delivery(1), last_event_date=BEFORE)
    found = grid(data_chapter(reference, older), "Freshness")
    assert texts(found) == [["web", "Nov 20, 2026", "1", "2026-11-22 03:15"]]


def test_a_stale_source_is_red_and_told_at_the_top():
    stale = (StaleSource("web", "1 day", NOW - timedelta(days=2)), StaleSource("pos", "7 days", None))
    data = replace(deliveries(delivery()), stale=stale)
    found = grid(render_chapters(SECTION, data)["data"], "Stale sources")
    assert [[row[0].text, row[1].text, row[2].text] for row in found.rows] == [
        ["web", "Nov 20, 2026, 3:15:00\u202fAM UTC", "1 day"],
        ["pos", "never", "7 days"],
    ]
    assert {cell.look for row in found.rows for cell in row[:2]} == {Look.BAD}
    first = summarize(SECTION, data).sentences[0].text
    assert first.startswith("Source web is stale: a delivery is expected every 1 day.")


def test_a_run_without_deliveries_and_rejected_rows_says_so():
    chapter = data_chapter(delivery(is_new=False, reasons={}, n_rejected=0))
    assert chapter.notes == ("This run had no new deliveries.", "No row was rejected.")
    assert not [f for f in chapter.figures if isinstance(f, Chart)]


def test_the_sentence_and_the_tile_tell_the_share_of_valid_rows():
    found = summarize(SECTION, deliveries(delivery()))
    assert found.tiles[0].lines == ("of 9 rows received", "in this run")
    assert [sentence.text for sentence in found.sentences] == ["88.89% of 9 rows received are valid."]
    assert summarize(SECTION, deliveries()).sentences == ()


def test_there_is_no_column_for_suppressed_rows_while_nothing_suppresses_them():
    found = grid(data_chapter(delivery()), "Delivered in this run")
    assert labels(found) == [
        *("Source", "Deliveries", "Rows in", "Accepted", "Replaced", "Superseded", "Duplicates", "Rejected", "Skipped", "Late", "Valid"),
    ]  # fmt: skip

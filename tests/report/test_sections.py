from dataclasses import replace
from decimal import Decimal

from lifestage.report.content import Check, RfmCount, SegmentCount
from lifestage.report.quality import accuracy, quality_section
from lifestage.report.rfm import rfm_section
from lifestage.report.runs import checks_section, run_section
from lifestage.report.segments import segments_section
from lifestage.report.stages import stages_section
from lifestage.report.tiles import headline_tiles
from report.builders import completed, delivery, full, rfm, segment, snapshot, stage


def texts(grid):
    return [[cell.text for cell in row] for row in grid.rows]


def test_stages_keep_the_ladders_order_and_count_what_it_does_not_name():
    section = stages_section(full(stages=(stage("novice", 2), stage("retired", 1), stage("mature", 5))))
    (grid,) = section.folded
    assert grid.columns == ("As of", "novice", "mature", "retired", "All")
    assert texts(grid) == [["2026-11-21", "2", "5", "1", "8"]]
    assert [entry.text for entry in section.charts[0].legend] == ["2 (25.0 %)", "5 (62.5 %)", "1 (12.5 %)"]


def test_a_stage_that_is_empty_on_a_date_counts_zero():
    (grid,) = stages_section(full()).folded
    assert texts(grid) == [["2026-11-21", "2", "8", "10"], ["2026-11-20", "0", "7", "7"]]


def test_the_map_has_25_cells_with_the_best_recency_on_top():
    section = rfm_section(full())
    (grid,) = section.grids
    assert [[cell.above for cell in row[1:]] for row in grid.rows] == [["champions"] * 5] + [
        ["loyal"] * 5
    ] * 4
    best, worst = grid.rows[0][5], grid.rows[4][2]
    assert (best.text, best.below, best.heat) == ("3", "75.0 %", 1.0)
    assert (worst.text, worst.below) == ("1", "25.0 %")
    assert section.notes == ("6 users without a purchase in the period: not scored.",)


def test_names_add_their_cells():
    (grid,) = rfm_section(full(rfm=(rfm(5, 5, 3, "90.00"), rfm(5, 1, 1, "10.00")))).folded
    assert texts(grid) == [["champions", "4", "100.0 %", "100.00 EUR", "25.00 EUR"]]


def test_too_little_data_is_said_and_not_drawn():
    section = rfm_section(full(rfm=(RfmCount("insufficient_data", 90, None, None, 1, Decimal(0)),)))
    assert section.notes == ("1 user not scored: too few buyers or too short a history.",)
    assert section.grids == ()
    assert "the last 90 days" in section.definition


def test_segments_are_means_over_known_values_the_largest_first():
    unknown = SegmentCount("modelled", "m", 3, "unknown", 9, (Decimal(0),), (0,))
    section = segments_section(
        full(segments=(segment(1, "small", 1, "10.00"), segment(2, "large", 3, "90.00"), unknown))
    )
    (grid,) = section.grids
    assert grid.columns == ("Segment", "Users", "Net amount, 365 days (EUR)")
    assert texts(grid) == [
        ["unknown", "9", "n/a"],
        ["large", "3", "30.00"],
        ["small", "1", "10.00"],
        ["All segments", "13", "25.00"],
    ]
    assert [row[2].heat for row in grid.rows] == [None, 1.0, 0.0, None]


def test_users_without_a_segment_are_counted_by_reason():
    outside = SegmentCount("not_modelled", None, None, None, 5, (Decimal(0),), (0,))
    assert segments_section(full(segments=(outside,))).notes == (
        "5 users in no segment: no model was trained yet.",
    )


def test_accuracy_leaves_duplicates_out():
    assert accuracy([delivery(n_rows=110, n_duplicate=10, n_rejected=5)]) == (95, 100)


def test_quality_adds_deliveries_by_source_this_run_apart():
    old = delivery(1, is_new=False, reasons={"malformed": 2}, n_rejected=2)
    section = quality_section(full(deliveries=(delivery(3, source="pos"), delivery(2), old)))
    this_run, so_far = section.grids
    assert [row[:3] for row in texts(this_run)] == [["pos", "1", "10"], ["web", "1", "10"]]
    assert [row[:3] for row in texts(so_far)] == [["pos", "1", "10"], ["web", "2", "20"]]
    assert so_far.caption == "Delivered so far, deliveries 1 to 3"
    assert texts(section.folded[0])[1:] == [
        ["web", "malformed", "2", "66.7 %"],
        ["web", "missing:event_at", "1", "33.3 %"],
    ]


def test_a_run_without_deliveries_and_rejected_rows_says_so():
    section = quality_section(full(deliveries=(delivery(is_new=False, reasons={}, n_rejected=0),)))
    assert section.notes == ("This run brought no delivery.", "No row was rejected.")
    assert section.charts == ()
    assert len(section.grids) == 1


def test_a_failed_check_comes_first_and_is_counted():
    checks = (Check("has users", True, ""), Check("money", False, "1.00 missing"))
    data = full(snapshots=(snapshot(checks),))
    assert texts(checks_section(data).grids[0])[0] == ["money", "failed", "1.00 missing"]
    assert headline_tiles(data)[3].value == "1 of 2"


def test_seconds_are_the_runs_own_once_it_is_complete():
    before, after = run_section(full()), run_section(full(runs=(completed("run-1"), completed("run-0"))))
    assert before.notes[0].startswith(
        "This run was not complete when the report was written; the run completed last, run-0,"
    )
    assert after.notes == ("Up to this report the run took 14 seconds in 2 steps.",)
    assert [row[0] for row in texts(after.folded[0])] == ["ingest", "stages"]


def test_versions_of_this_run_stand_beside_those_of_the_last():
    grid = run_section(full(commits={"user_value": 9})).folded[1]
    assert texts(grid) == [["user_stages", "", "3"], ["user_value", "9", ""]]


def test_a_completed_run_without_seconds_has_no_chart():
    section = run_section(full(runs=(replace(completed(), seconds={}),)))
    assert section.charts == ()


def test_users_are_compared_with_the_date_before():
    assert headline_tiles(full())[0].lines == ("in a lifecycle stage", "+3 since 2026-11-20")


def test_rows_that_are_replayed_are_received_once():
    """Of 100 rows 4 were rejected; of these 3 were replayed, and 2 became events."""
    first = delivery(1, n_rows=100, n_accepted=96, n_duplicate=0, n_rejected=4)
    again = replace(delivery(2, n_rows=3, n_accepted=2, n_duplicate=0, n_rejected=1), kind="replay")
    assert accuracy([first]) == (96, 100)
    assert accuracy([first, again]) == (98, 100)

from dataclasses import replace
from decimal import Decimal

from lifestage.report.audiences import audiences_section
from lifestage.report.content import Check, RfmCount, SegmentCount
from lifestage.report.quality import accuracy, quality_section
from lifestage.report.rfm import rfm_section
from lifestage.report.runs import checks_section, run_section
from lifestage.report.segments import segments_section
from lifestage.report.stages import stages_section
from lifestage.report.summary import sentences
from lifestage.report.tiles import headline_tiles
from lifestage.report.value import value_section
from report.builders import completed, delivery, empty, full, rfm, segment, snapshot, stage


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


def test_moves_leave_out_who_stayed():
    newest, flow = stages_section(full()).grids
    assert texts(flow) == [["novice", "mature", "3"]]
    assert flow.caption == "Moves between stages from 2026-11-20 to 2026-11-21, the largest"
    assert [row[:3] for row in texts(newest)] == [["novice", "2", "20.0 %"], ["mature", "8", "80.0 %"]]


def test_tiers_have_shares_and_movement():
    tiers, concentration = value_section(full()).grids
    assert texts(tiers) == [
        ["high", "1", "80.00 EUR", "0.75", "+1", "-0"],
        ["low", "3", "20.00 EUR", "0.00", "+0", "-1"],
    ]
    assert [cell.below for cell in tiers.rows[0]] == ["", "25.0 %", "80.0 %", "", "", ""]
    assert texts(concentration) == [["Best 10 %", "1", "80.00 EUR", "80.0 %"]]


def test_audiences_have_size_movement_value_and_owner():
    (grid,) = audiences_section(full()).grids
    assert texts(grid) == [
        ["Win back", "2", "+1", "-1", "30.00 EUR", "CRM"],
        ["Sleeping", "0", "+0", "-0", "0.00 EUR", ""],
    ]


def test_five_sentences_say_what_happened_and_lead_to_their_figures():
    found = sentences(full())
    assert [sentence.section for sentence in found] == ["stages", "stages", "value", "audiences", "quality"]
    assert [sentence.text for sentence in found] == [
        "10 users are in a lifecycle stage; the largest is mature with 80.0 % of them.",
        "Since 2026-11-20, 0 users fell silent (dormant or churned) and 0 came back: keep what brings them back.",
        "The best 10 % of buyers (1) account for 80.0 % of net spend: know them by name.",
        "The audience that stands for most spend is Win back with 2 users and 30 EUR: CRM looks after them.",
        "88.89 % of the rows received are accurate, and 1 check passed.",
    ]


def test_without_data_there_is_nothing_to_say():
    assert sentences(empty()) == ()
    assert value_section(empty()).grids == audiences_section(empty()).grids == ()

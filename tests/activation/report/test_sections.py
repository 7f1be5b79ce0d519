from dataclasses import replace
from decimal import Decimal

from activation.report.builders import (
    AS_OF,
    BEFORE,
    WORDS,
    completed,
    delivery,
    empty,
    full,
    rfm,
    segment,
    snapshot,
    stage,
)
from lifestage.activation.report.audiences import audiences_section
from lifestage.activation.report.content import (
    AudienceCount,
    Check,
    Flow,
    RfmCount,
    SegmentCount,
    StageCount,
    TierCount,
    TopShare,
)
from lifestage.activation.report.lifecycle import lifecycle_section
from lifestage.activation.report.made import made_section
from lifestage.activation.report.quality import accuracy, quality_section
from lifestage.activation.report.segments import segments_section
from lifestage.activation.report.summary import sentences
from lifestage.activation.report.tiles import headline_tiles
from lifestage.activation.report.value import value_section
from lifestage.platform.reporting.grids import Chart


def texts(grid):
    return [[cell.text for cell in row] for row in grid.rows]


def labels(grid):
    return [column.label for column in grid.columns]


def chart(section, key):
    return next(f for f in section.figures if isinstance(f, Chart) and f.key == key)


def grid(section, caption):
    return next(f for f in section.figures if not isinstance(f, Chart) and f.caption.startswith(caption))


def values(figure):
    return [(row["x"], row["name"], row["value"]) for row in figure.spec["data"]["values"]]


def test_stages_keep_the_ladders_order_and_count_what_it_does_not_name():
    section = lifecycle_section(
        full(stages=(stage("novice", 2), stage("retired", 1), stage("mature", 5))), WORDS
    )
    found = grid(section, "Users by date")
    assert labels(found) == ["As of", "novice", "mature", "retired", "All"]
    assert texts(found) == [["Nov 21, 2026", "2", "5", "1", "8"]]
    assert [entry.text for entry in chart(section, "stages-chart").legend] == [
        "2 (25.0%)",
        "5 (62.5%)",
        "1 (12.5%)",
    ]


def test_a_stage_that_is_empty_on_a_date_counts_zero():
    found = grid(lifecycle_section(full(), WORDS), "Users by date")
    assert texts(found) == [["Nov 21, 2026", "2", "8", "10"], ["Nov 20, 2026", "0", "7", "7"]]


def test_the_newest_stages_have_shares_change_and_spend():
    found = grid(lifecycle_section(full(), WORDS), "Stages as of")
    assert [row[:4] for row in texts(found)] == [
        ["novice", "2", "20.0%", "+2"],
        ["mature", "8", "80.0%", "+1"],
    ]


def test_moves_leave_out_who_stayed_and_the_matrix_has_everybody():
    section = lifecycle_section(
        full(stage_flows=(Flow("mature", "mature", 5), Flow("novice", "mature", 3), Flow(None, "novice", 2))),
        WORDS,
    )
    assert values(chart(section, "moves-chart")) == [("novice → mature", "", 3), ("new → novice", "", 2)]
    found = grid(section, "All moves")
    assert labels(found) == ["Before", "novice", "mature"]
    assert texts(found) == [["novice", "0", "3"], ["mature", "0", "5"], ["new", "2", "0"]]


def test_small_moves_are_withheld_and_said():
    section = lifecycle_section(full(least_users=5), WORDS)
    assert section.notes == ("No users changed stage since the previous date, or too few to show.",)
    assert texts(grid(section, "All moves"))[0] == ["novice", "–"]


def test_the_map_has_25_cells_with_the_best_recency_on_top():
    section = value_section(full(), WORDS)
    found = grid(section, "Recency and frequency")
    assert [[cell.above for cell in row[1:]] for row in found.rows] == [["champions"] * 5] + [
        ["loyal"] * 5
    ] * 4
    best, worst = found.rows[0][5], found.rows[4][2]
    assert (best.text, best.below, best.heat) == ("3", "75.0%", 1.0)
    assert (worst.text, worst.below) == ("1", "25.0%")
    assert section.notes == ("6 users without a purchase in the period are not scored.",)


def test_names_add_their_cells():
    section = value_section(full(rfm=(rfm(5, 5, 3, "90.00"), rfm(5, 1, 1, "10.00"))), WORDS)
    assert texts(grid(section, "Users and spend by name")) == [["champions", "4", "100.0%", "€100", "€25.00"]]


def test_too_little_data_is_said_and_not_drawn():
    unscored = RfmCount("insufficient_data", 90, None, None, 1, Decimal(0))
    section = value_section(full(rfm=(unscored,), tiers=(), top_shares=(), parts=()), WORDS)
    assert section.notes == ("One user is not scored: too few buyers, or too short a history.",)
    assert section.figures == ()
    assert "the last 90 days" in section.about


def test_tiers_have_shares_and_movement():
    section = value_section(full(), WORDS)
    assert texts(grid(section, "Tiers as of")) == [
        ["high", "1", "25.0%", "€80", "80.0%", "0.75", "+1", "0"],
        ["low", "3", "75.0%", "€20", "20.0%", "0.00", "0", "\N{MINUS SIGN}1"],
    ]
    assert values(chart(section, "tiers-chart")) == [
        ("Users", "high", 1),
        ("Spend", "high", 80),
        ("Users", "low", 3),
        ("Spend", "low", 20),
    ]


def test_a_tier_that_cost_more_than_it_brought_has_no_chart():
    tiers = (TierCount("high", 5, Decimal(9), Decimal(1)), TierCount("low", 5, Decimal(-1), Decimal(0)))
    section = value_section(full(tiers=tiers), WORDS)
    assert "tiers-chart" not in [f.key for f in section.figures if isinstance(f, Chart)]


def test_the_curve_begins_at_nothing_and_ends_with_all():
    section = value_section(full(), WORDS)
    rows = chart(section, "concentration-chart").spec["data"]["values"]
    assert [(row["at"], row["value"], row["named"]) for row in rows] == [
        (0, 0, False),
        (0.1, 0.8, True),
        (1, 1, False),
    ]
    assert texts(grid(section, "Spend of the top")) == [["Top 10%", "1", "€80", "80.0%"]]


def test_points_of_the_curve_lie_enough_buyers_apart():
    tops = tuple(TopShare(percent, 2 * percent, Decimal(percent)) for percent in range(1, 101))
    section = value_section(full(rfm=(rfm(5, 5, 200),), tiers=(), top_shares=tops, least_users=5), WORDS)
    rows = chart(section, "concentration-chart").spec["data"]["values"]
    # 200 buyers: of the named ones 1 % are 2; the rest lie at least 5 apart.
    assert [row["at"] for row in rows] == [0, 0.05, 0.1, 0.2, 0.5, 1]


def test_segments_are_means_over_known_values_the_largest_first():
    unknown = SegmentCount("modelled", "m", 3, "unknown", 9, (Decimal(0),), (0,))
    segments = (segment(1, "small", 1, "10.00"), segment(2, "large", 3, "90.00"), unknown)
    found = grid(segments_section(full(segments=segments), WORDS), "Segments as of")
    assert labels(found) == ["Segment", "Users", "Entered", "Left", "Net amount, 365 days"]
    assert found.columns[4].about == "Purchases minus returns (EUR)"
    assert texts(found) == [
        ["unknown", "9", "0", "0", "unknown"],
        ["large", "3", "0", "\N{MINUS SIGN}1", "€30.00"],
        ["small", "1", "+1", "0", "€10.00"],
        ["All segments", "13", "", "", "€25.00"],
    ]
    assert [row[4].heat for row in found.rows] == [None, 1.0, 0.0, None]


def test_users_without_a_segment_are_counted_by_reason():
    outside = SegmentCount("not_modelled", None, None, None, 5, (Decimal(0),), (0,))
    assert segments_section(full(segments=(outside,)), WORDS).notes == (
        "5 users are in no segment because no model is trained yet.",
    )


def test_audiences_have_size_movement_value_and_owner():
    section = audiences_section(full(), WORDS)
    assert texts(grid(section, "Audiences as of")) == [
        ["Win back", "2", "+1", "\N{MINUS SIGN}1", "€30", "€15.00", "CRM"],
        ["Sleeping", "0", "0", "0", "€0", "", ""],
    ]
    assert values(chart(section, "audiences-chart")) == [("Win back", "", 2)]


def test_accuracy_leaves_duplicates_out():
    assert accuracy([delivery(n_rows=110, n_duplicate=10, n_rejected=5)]) == (95, 100)


def test_rows_that_are_replayed_are_received_once():
    """Of 100 rows 4 were rejected; of these 3 were replayed, and 2 became events."""
    first = delivery(1, n_rows=100, n_accepted=96, n_duplicate=0, n_rejected=4)
    again = replace(delivery(2, n_rows=3, n_accepted=2, n_duplicate=0, n_rejected=1), kind="replay")
    assert accuracy([first]) == (96, 100)
    assert accuracy([first, again]) == (98, 100)


def test_quality_adds_deliveries_by_source_this_run_apart():
    old = delivery(1, is_new=False, reasons={"malformed": 2}, n_rejected=2)
    section = quality_section(full(deliveries=(delivery(3, source="pos"), delivery(2), old)), WORDS)
    assert [row[:3] for row in texts(grid(section, "Delivered in this run"))] == [
        ["pos", "1", "10"],
        ["web", "1", "10"],
    ]
    so_far = grid(section, "Delivered so far, deliveries 1 to 3")
    assert [row[:3] for row in texts(so_far)] == [["pos", "1", "10"], ["web", "2", "20"]]
    assert texts(grid(section, "Rejected rows by source"))[1:] == [
        ["web", "malformed", "2", "66.7%"],
        ["web", "missing:event_at", "1", "33.3%"],
    ]


def test_freshness_is_of_events_alone():
    reference = replace(delivery(2, source="products"), kind="reference")
    older = replace(delivery(1), last_event_date=BEFORE)
    section = quality_section(full(deliveries=(reference, older)), WORDS)
    assert texts(grid(section, "Freshness")) == [["web", "Nov 20, 2026", "1", "2026-11-22 03:15"]]


def test_a_run_without_deliveries_and_rejected_rows_says_so():
    section = quality_section(full(deliveries=(delivery(is_new=False, reasons={}, n_rejected=0),)), WORDS)
    assert section.notes == ("This run had no new deliveries.", "No row was rejected.")
    assert not [f for f in section.figures if isinstance(f, Chart)]


def test_a_failed_check_comes_first_and_is_counted():
    checks = (Check("has users", True, ""), Check("money", False, "1.00 missing"))
    data = full(snapshots=(snapshot(checks),))
    assert texts(grid(quality_section(data, WORDS), "Checks"))[0] == ["money", "failed", "1.00 missing"]
    assert headline_tiles(data, WORDS)[3].value == "1 of 2"


def test_seconds_are_the_runs_own_once_it_is_complete():
    before = made_section(full(), WORDS)
    after = made_section(full(runs=(completed("run-1"), completed("run-0"))), WORDS)
    assert before.notes[0].startswith(
        "This run was not complete when the report was written; the previous run, run-0,"
    )
    assert after.notes == ("Up to this report the run took 14 seconds in 2 steps.",)
    assert values(chart(after, "seconds-chart")) == [("ingest", "", 12.5), ("stages", "", 2.0)]


def test_versions_of_this_run_stand_beside_those_of_the_last():
    found = grid(made_section(full(commits={"user_value": 9}), WORDS), "Table versions")
    assert texts(found) == [["user_stages", "", "3"], ["user_value", "9", ""]]


def test_the_rules_in_force_are_on_the_page():
    section = made_section(full(), WORDS)
    assert [row[1].below for row in grid(section, "Rules of the stages").rows] == [
        "tenure_days <= 90",
        "true",
    ]
    assert [row[1].below for row in grid(section, "Rules of the audiences").rows] == [
        "stage = 'churned'",
        "stage = 'dormant'",
    ]


def test_a_completed_run_without_seconds_has_no_chart():
    section = made_section(full(runs=(replace(completed(), seconds={}),)), WORDS)
    assert not [f for f in section.figures if isinstance(f, Chart)]


def test_users_are_compared_with_the_date_before():
    assert headline_tiles(full(), WORDS)[0].lines == ("in a lifecycle stage", "+3 since Nov 20, 2026")


def test_five_sentences_say_what_happened_and_lead_to_their_figures():
    found = sentences(full(stage_order=("novice", "mature", "churned")), WORDS)
    assert [(sentence.target, sentence.text) for sentence in found] == [
        ("stages-chart", "10 users are in a lifecycle stage; the largest is mature with 80.0% of them. Planned: Status."),
        ("lifecycle", "Since Nov 20, 2026, 0 users came back and 0 fell silent (dormant or churned). Continue what brings them back."),
        ("concentration-chart", "The top 10% of buyers (one user) spent €80, 80.0% of all spend. Give them personal attention."),
        ("audiences-chart", "The audience with the highest spend is “Win back”: 2 users, €30. Planned: An offer. Owner: CRM."),
        ("data", "88.89% of 9 rows received are accurate, and the only check passed."),
    ]  # fmt: skip


def test_sentences_do_not_tell_of_a_few():
    said = " ".join(sentence.text for sentence in sentences(full(least_users=5), WORDS))
    assert "Win back" not in said
    assert "one user" not in said


def test_without_data_there_is_nothing_to_say():
    assert sentences(empty(), WORDS) == ()
    assert value_section(empty(), WORDS).figures == audiences_section(empty(), WORDS).figures == ()


def test_a_ladder_of_other_names_has_nobody_lost():
    assert "lifecycle" not in [sentence.target for sentence in sentences(full(), WORDS)]


def test_where_moves_are_withheld_it_is_said_how_many_are_silent():
    moves = {"mm": 57, "mc": 3, "mg": 4, "gg": 30, "gc": 4, "gm": 3, "cc": 36, "cg": 2, "cm": 2}
    names = {"m": "mature", "g": "growth", "c": "churned"}
    counts = {
        (day, names[letter]): sum(n for move, n in moves.items() if move[side] == letter)
        for side, day in ((0, BEFORE), (1, AS_OF))
        for letter in names
    }
    data = full(
        least_users=5,
        stage_order=tuple(names.values()),
        stages=tuple(StageCount(*key, n) for key, n in counts.items()),
        stage_flows=tuple(Flow(names[a], names[b], n) for (a, b), n in moves.items()),
    )
    said = [sentence.text for sentence in sentences(data, WORDS)]
    assert any(text.startswith("43 users are silent (dormant or churned), +3 since") for text in said)


def test_who_stayed_does_not_follow_from_who_came():
    audience = AudienceCount("win_back", "", "", 50, 48, 0, Decimal(10))
    found = grid(audiences_section(full(least_users=5, audiences=(audience,)), WORDS), "Audiences as of")
    assert texts(found)[0][1:4] == ["50", "–", "–"]


def test_an_audience_that_leaves_out_a_few_is_withheld():
    audience = AudienceCount("nearly_all", "", "", 97, 0, 0, Decimal(10))
    data = full(least_users=5, stages=(stage("mature", 100),), audiences=(audience,))
    assert texts(grid(audiences_section(data, WORDS), "Audiences as of"))[0][1] == "–"


def test_checks_do_not_tell_of_a_few():
    checks = (
        Check("has users", True, "3 users, 7 in 2026-11-20.r1"),
        Check("data", True, "spend for 4 users"),
    )
    found = grid(quality_section(full(least_users=5, snapshots=(snapshot(checks),)), WORDS), "Checks")
    assert [row[2] for row in texts(found)] == ["– users, 7 in 2026-11-20.r1", "spend for – users"]


def test_percentiles_of_few_buyers_are_those_of_one_of_them():
    assert texts(grid(value_section(full(least_users=5), WORDS), "Components of the value index"))[0][3:] == [
        "–",
        "–",
    ]


def test_the_share_of_the_best_is_of_everything():
    """Nine buyers: beyond the best half are four, so the curve ends there."""
    tops = (TopShare(50, 5, Decimal(500)), TopShare(100, 9, Decimal(900)))
    section = value_section(full(least_users=5, rfm=(rfm(5, 5, 9),), tiers=(), top_shares=tops), WORDS)
    assert "Spend of the top buyers" not in [f.caption for f in section.figures if not isinstance(f, Chart)]

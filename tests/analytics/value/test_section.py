from decimal import Decimal

from analytics.value.section_builders import empty_value, full_value, rfm, unscored
from lifestage.analytics.value.section import SECTION
from lifestage.analytics.value.section_data import (
    IndexPart,
    RfmCount,
    TierCount,
    TopShare,
    sum_by_cell,
    sum_by_tier,
    to_index_parts,
)
from lifestage.platform.reporting.grids import Chart
from support.reporting import BEFORE, chart, grid, render_chapters, summarize, texts, values


def value(data, least_users=1):
    return render_chapters(SECTION, data, least_users)["value"]


def total(status="scored", r=5, f=1, tier="high", n=1, amount="10.00", least="0.5"):
    """A row of value_totals."""
    return {
        "rfm_status": status, "rfm_period_days": 365, "r_score": r, "f_score": f, "tier": tier, "n_users": n,
        "monetary_amount": Decimal(amount), "least_index": least and Decimal(least),
    }  # fmt: skip


TOTALS = [
    total(n=2, amount="10.50", least="0.9"),
    total(tier="low", n=3, amount="0.25", least="0.1"),
    total(r=1, tier="low", n=1, amount="1.00", least="0.2"),
    total("not_scored", None, None, None, 4, "0.00", None),
]


def test_cells_add_up_their_tiers():
    assert sum_by_cell(TOTALS) == (
        RfmCount("not_scored", 365, None, None, 4, Decimal(0)),
        RfmCount("scored", 365, 1, 1, 1, Decimal(1)),
        RfmCount("scored", 365, 5, 1, 5, Decimal("10.75")),
    )


def test_tiers_add_up_their_cells_the_best_first():
    assert sum_by_tier(TOTALS) == (
        TierCount("high", 2, Decimal("10.50"), Decimal("0.9")),
        TierCount("low", 4, Decimal("1.25"), Decimal("0.1")),
    )


def test_the_parts_of_the_index_come_heaviest_first():
    scale = {"dimension": "economic", "p5": 0.0}
    rows = [
        {**scale, "component": "frequency", "weight": 0.3, "p95": 9.0},
        {**scale, "component": "spend", "weight": 0.7, "p95": 90.0},
    ]
    assert to_index_parts(rows) == (
        IndexPart("economic", "spend", 0.7, 0.0, 90.0),
        IndexPart("economic", "frequency", 0.3, 0.0, 9.0),
    )


def test_the_map_has_25_cells_with_the_best_recency_on_top():
    chapter = value(full_value())
    found = grid(chapter, "Recency and frequency")
    assert [[cell.above for cell in row[1:]] for row in found.rows] == [["champions"] * 5] + [
        ["loyal"] * 5
    ] * 4
    best, worst = found.rows[0][5], found.rows[4][2]
    assert (best.text, best.below, best.heat) == ("3", "75.0%", 1.0)
    assert (worst.text, worst.below) == ("1", "25.0%")
    assert chapter.notes == ("6 users without a purchase in the period are not scored.",)


def test_without_variety_the_map_has_no_names_and_says_why():
    """A buyer of yesterday is not called hibernating beside a stage that calls them a novice."""
    chapter = value(full_value(has_variety=False))
    found = grid(chapter, "Recency and frequency")
    assert {cell.above for row in found.rows for cell in row[1:]} == {""}
    assert texts(grid(chapter, "Users and spend by name"))[0][:2] == ["insufficient variety", "4"]
    assert chapter.notes[0].startswith("Insufficient variety: ")


def test_the_map_says_why_it_may_differ_from_the_stages():
    [about] = [column.about for column in grid(value(full_value()), "Recency and frequency").columns[:1]]
    assert "stages compare each user with their own purchase cycle" in about


def test_names_add_their_cells():
    chapter = value(full_value(rfm=(rfm(5, 5, 3, "90.00"), rfm(5, 1, 1, "10.00"))))
    assert texts(grid(chapter, "Users and spend by name")) == [["champions", "4", "100.0%", "€100", "€25.00"]]


def test_too_little_data_is_a_note_and_no_figure():
    few = unscored(1, "insufficient_data", 90)
    chapter = value(full_value(rfm=(few,), tiers=(), top_shares=(), parts=()))
    assert chapter.notes == ("One user is not scored: too few buyers, or too short a history.",)
    assert chapter.figures == ()
    assert "the last 90 days" in chapter.about
    assert value(empty_value()).figures == ()
    assert summarize(SECTION, empty_value()).sentences == ()


def test_tiers_have_shares_and_movement():
    chapter = value(full_value())
    assert texts(grid(chapter, "Tiers as of")) == [
        ["high", "1", "25.0%", "€80", "80.0%", "0.75", "+1", "0"],
        ["low", "3", "75.0%", "€20", "20.0%", "0.00", "0", "\N{MINUS SIGN}1"],
    ]
    assert values(chart(chapter, "tiers-chart")) == [
        ("Users", "high", 1),
        ("Spend", "high", 80),
        ("Users", "low", 3),
        ("Spend", "low", 20),
    ]


def test_a_tier_that_cost_more_than_it_brought_has_no_chart():
    tiers = (TierCount("high", 5, Decimal(9), Decimal(1)), TierCount("low", 5, Decimal(-1), Decimal(0)))
    chapter = value(full_value(tiers=tiers))
    assert "tiers-chart" not in [f.key for f in chapter.figures if isinstance(f, Chart)]


def test_the_curve_begins_at_nothing_and_ends_with_all():
    chapter = value(full_value())
    rows = chart(chapter, "concentration-chart").spec["data"]["values"]
    assert [(row["at"], row["value"], row["named"]) for row in rows] == [
        (0, 0, False),
        (0.1, 0.8, True),
        (1, 1, False),
    ]
    assert texts(grid(chapter, "Spend of the top")) == [["Top 10%", "1", "€80", "80.0%"]]


def test_points_of_the_curve_lie_enough_buyers_apart():
    """Of 200 buyers 1 % are 2; the other named shares lie at least 5 apart."""
    tops = tuple(TopShare(percent, 2 * percent, Decimal(percent)) for percent in range(1, 101))
    chapter = value(full_value(rfm=(rfm(5, 5, 200),), tiers=(), top_shares=tops), least_users=5)
    rows = chart(chapter, "concentration-chart").spec["data"]["values"]
    assert [row["at"] for row in rows] == [0, 0.05, 0.1, 0.2, 0.5, 1]


def test_percentiles_of_few_buyers_are_withheld():
    found = grid(value(full_value(), least_users=5), "Components of the value index")
    assert texts(found)[0][3:] == ["–", "–"]


def test_the_curve_ends_where_too_few_buyers_follow():
    """Of nine buyers four are beyond the best half."""
    tops = (TopShare(50, 5, Decimal(500)), TopShare(100, 9, Decimal(900)))
    chapter = value(full_value(rfm=(rfm(5, 5, 9),), tiers=(), top_shares=tops), least_users=5)
    assert "Spend of the top buyers" not in [f.caption for f in chapter.figures if not isinstance(f, Chart)]


def test_the_summary_has_buyers_and_the_best_of_them():
    found = summarize(SECTION, full_value())
    assert [(tile.value, tile.lines[1]) for tile in found.tiles] == [("4", "and spent €100 after returns")]
    assert [sentence.text for sentence in found.sentences] == [
        "The top 10% of buyers (one user) spent €80, 80.0% of all spend. Give them personal attention."
    ]
    assert summarize(SECTION, full_value(), least_users=5).sentences == ()


def test_a_note_says_that_the_value_index_is_weighed_in_another_way():
    data = full_value(before=BEFORE, is_index_changed=True)
    assert (
        render_chapters(SECTION, data)["value"]
        .notes[0]
        .startswith("The components or weights of the value index have changed since Nov 20")
    )
    assert not any(
        "weights" in note for note in render_chapters(SECTION, full_value(before=BEFORE))["value"].notes
    )

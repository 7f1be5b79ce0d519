"""Tiers, concentration, moves and audiences, reduced from tables."""

from datetime import timedelta
from decimal import Decimal

from lifestage.report.config import AudienceText
from lifestage.report.content import AudienceCount, StageFlow, TierCount, TopShare
from lifestage.report.value_data import audience_counts, date_before, stage_flows, tier_counts, top_shares
from lifestage.tables.audiences import USER_AUDIENCES
from lifestage.tables.stages import USER_STAGES
from lifestage.tables.value import USER_VALUE
from report.builders import AS_OF
from support.frames import build

BEFORE = AS_OF - timedelta(days=3)
LATER = AS_OF + timedelta(days=1)


def stages(spark, *rows):
    return build(spark, USER_STAGES, [{"user_id": u, "as_of": d, "stage": s} for u, d, s in rows])


def value(spark, *rows):
    columns = ("user_id", "as_of", "tier", "value_index", "monetary_amount")
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    return build(spark, USER_VALUE, [{**row, "frequency": row["monetary_amount"] and 1} for row in found])


def test_the_date_before_is_the_last_one_built_before(spark):
    rows = stages(spark, *[("u", AS_OF - timedelta(days=n), "s") for n in (-1, 0, 3, 5)])
    assert date_before(rows, AS_OF) == BEFORE
    assert date_before(rows, AS_OF - timedelta(days=5)) is None


def test_flows_are_pairs_of_stages_with_who_is_new_and_who_is_gone(spark):
    rows = stages(
        spark,
        ("stays", BEFORE, "mature"), ("stays", AS_OF, "mature"), ("falls", BEFORE, "mature"), ("falls", AS_OF, "dormant"),
        ("new", AS_OF, "novice"), ("gone", BEFORE, "mature"), ("stays", LATER, "churned"),
    )  # fmt: skip
    assert set(stage_flows(rows, AS_OF, BEFORE)) == {
        StageFlow("mature", "mature", 1),
        StageFlow("mature", "dormant", 1),
        StageFlow(None, "novice", 1),
        StageFlow("mature", None, 1),
    }
    assert stage_flows(rows, AS_OF, None) == ()


def test_tiers_are_counted_with_their_movement_best_first(spark):
    rows = value(
        spark,
        ("up", BEFORE, "low", "0.1", "5"), ("up", AS_OF, "high", "0.9", "50"),
        ("stays", BEFORE, "low", "0.1", "5"), ("stays", AS_OF, "low", "0.2", "6"),
        ("lost", BEFORE, "high", "0.9", "50"), ("lost", AS_OF, None, None, None),
    )  # fmt: skip
    assert tier_counts(rows, AS_OF, BEFORE) == (
        TierCount("high", 1, Decimal(50), Decimal("0.9"), 1, 1),
        TierCount("low", 1, Decimal(6), Decimal("0.2"), 0, 1),
    )


def test_on_the_first_date_nobody_came_in(spark):
    rows = value(spark, ("u", AS_OF, "high", "0.9", "50"))
    assert tier_counts(rows, AS_OF, None) == (TierCount("high", 1, Decimal(50), Decimal("0.9"), 0, 0),)


def test_the_best_buyers_share_ties_exactly(spark):
    """Of 40 buyers four spend 100 and the others 10: the best two are two of the four."""
    rows = [(f"u{n}", AS_OF, "t", "0.5", "100" if n < 4 else "10") for n in range(40)]
    silent = ("silent", AS_OF, None, None, None)
    assert top_shares(value(spark, *rows, silent, ("u1", LATER, "t", "0.5", "999")), AS_OF) == (
        TopShare(1, 1, Decimal(100)),
        TopShare(5, 2, Decimal(200)),
        TopShare(10, 4, Decimal(400)),
        TopShare(20, 8, Decimal(440)),
        TopShare(50, 20, Decimal(560)),
        TopShare(100, 40, Decimal(760)),
    )


def test_without_buyers_there_is_no_concentration(spark):
    assert top_shares(value(spark, ("u", AS_OF, None, None, None)), AS_OF) == ()


def test_audiences_are_counted_with_their_movement_and_the_empty_ones_too(spark):
    rows = [
        ("a", "stays", BEFORE), ("a", "stays", AS_OF), ("a", "comes", AS_OF), ("a", "goes", BEFORE), ("a", "u", LATER),
        ("removed", "u", AS_OF),
    ]  # fmt: skip
    members = build(spark, USER_AUDIENCES, [{"audience": a, "user_id": u, "as_of": d} for a, u, d in rows])
    spend = value(spark, ("stays", AS_OF, "t", "0.1", "5"), ("goes", AS_OF, "t", "0.1", "7"))
    texts = {"b": AudienceText(description="B", owner=""), "a": AudienceText(description="A", owner="CRM")}
    assert audience_counts(members, spend, texts, AS_OF, BEFORE) == (
        AudienceCount("a", "A", "CRM", 2, 1, 1, Decimal(5)),
        AudienceCount("b", "B", "", 0, 0, 0, Decimal()),
    )

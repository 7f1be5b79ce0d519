"""Tiers, concentration, moves and audiences, reduced from tables."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activation.report.builders import AS_OF
from lifestage.activation.audiences.tables import AUDIENCE_DEFINITIONS, USER_AUDIENCES
from lifestage.activation.report.config import AudienceText
from lifestage.activation.report.content import AudienceCount, Flow, Part, TierCount, TopShare
from lifestage.activation.report.data import regrouped_counts
from lifestage.activation.report.value_data import (
    audience_counts,
    audience_rules,
    date_before,
    flows,
    index_parts,
    tier_counts,
    top_shares,
)
from lifestage.analytics.stages.tables import USER_STAGES
from lifestage.analytics.value.tables import USER_VALUE, VALUE_SCALES
from support.frames import build, regrouped

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
    assert set(flows(rows, "stage", AS_OF, BEFORE, regrouped(spark))) == {
        Flow("mature", "mature", 1),
        Flow("mature", "dormant", 1),
        Flow(None, "novice", 1),
        Flow("mature", None, 1),
    }
    assert flows(rows, "stage", AS_OF, None, regrouped(spark)) == ()


def test_who_merged_or_was_split_leaves_a_stage_for_that_and_comes_from_it(spark):
    rows = stages(
        spark,
        ("stays", BEFORE, "mature"), ("stays", AS_OF, "mature"), ("kept", BEFORE, "novice"), ("kept", AS_OF, "growth"),
        ("absorbed", BEFORE, "dormant"), ("part", AS_OF, "churned"),
    )  # fmt: skip
    others = regrouped(spark, kept="merged", absorbed="merged", part="split")
    assert set(flows(rows, "stage", AS_OF, BEFORE, others)) == {
        Flow("mature", "mature", 1),
        Flow("novice", "merged", 1),
        Flow("merged", "growth", 1),
        Flow("dormant", "merged", 1),
        Flow("split", "churned", 1),
    }


def test_merged_users_are_counted_as_they_were_and_as_they_are(spark):
    rows = stages(
        spark, ("kept", BEFORE, "novice"), ("kept", AS_OF, "growth"), ("absorbed", BEFORE, "dormant")
    )
    others = regrouped(spark, kept="merged", absorbed="merged")
    assert regrouped_counts(rows, others, AS_OF) == {"merged": (2, 1)}


def test_tiers_are_counted_best_first(spark):
    rows = value(
        spark,
        ("up", BEFORE, "low", "0.1", "5"), ("up", AS_OF, "high", "0.9", "50"),
        ("stays", BEFORE, "low", "0.1", "5"), ("stays", AS_OF, "low", "0.2", "6"),
        ("lost", BEFORE, "high", "0.9", "50"), ("lost", AS_OF, None, None, None),
    )  # fmt: skip
    assert tier_counts(rows, AS_OF) == (
        TierCount("high", 1, Decimal(50), Decimal("0.9")),
        TierCount("low", 1, Decimal(6), Decimal("0.2")),
    )
    assert set(flows(rows, "tier", AS_OF, BEFORE, regrouped(spark))) == {
        Flow("low", "high", 1),
        Flow("low", "low", 1),
        Flow("high", None, 1),
    }


def test_who_is_in_no_group_on_either_date_did_not_move(spark):
    rows = value(spark, ("u", BEFORE, None, None, None), ("u", AS_OF, None, None, None))
    assert flows(rows, "tier", AS_OF, BEFORE, regrouped(spark)) == ()


def test_the_parts_of_the_index_come_heaviest_first(spark):
    scale = {"dimension": "economic", "n_users": 4, "n_known": 4, "p5": 0.0}
    rows = [
        {**scale, "as_of": AS_OF, "component": "frequency", "weight": 0.3, "p95": 9.0},
        {**scale, "as_of": AS_OF, "component": "spend", "weight": 0.7, "p95": 90.0},
        {**scale, "as_of": BEFORE, "component": "spend", "weight": 1.0, "p95": 80.0},
    ]
    assert index_parts(build(spark, VALUE_SCALES, rows), AS_OF) == (
        Part("economic", "spend", 0.7, 0.0, 90.0),
        Part("economic", "frequency", 0.3, 0.0, 9.0),
    )


def test_the_best_buyers_share_ties_exactly(spark):
    """Of 40 buyers four spend 100 and the others 10: the best two are two of the four."""
    rows = [(f"u{n}", AS_OF, "t", "0.5", "100" if n < 4 else "10") for n in range(40)]
    silent = ("silent", AS_OF, None, None, None)
    tops = top_shares(value(spark, *rows, silent, ("u1", LATER, "t", "0.5", "999")), AS_OF)
    assert [top.percent for top in tops] == list(range(1, 101))
    assert [tops[percent - 1] for percent in (1, 5, 10, 20, 50, 100)] == [
        TopShare(1, 1, Decimal(100)),
        TopShare(5, 2, Decimal(200)),
        TopShare(10, 4, Decimal(400)),
        TopShare(20, 8, Decimal(440)),
        TopShare(50, 20, Decimal(560)),
        TopShare(100, 40, Decimal(760)),
    ]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cents=st.lists(st.integers(-50, 200), min_size=1, max_size=30))
def test_shares_are_those_of_the_sorted_list(spark, cents):
    amounts = sorted((Decimal(cent) / 100 for cent in cents), reverse=True)
    rows = [(f"u{n}", AS_OF, "t", "0.5", str(amount)) for n, amount in enumerate(amounts)]
    for top in top_shares(value(spark, *rows), AS_OF):
        best = amounts[: -(-len(amounts) * top.percent // 100)]
        assert (top.n_users, top.amount) == (len(best), sum(best))


def test_without_buyers_there_is_no_concentration(spark):
    assert top_shares(value(spark, ("u", AS_OF, None, None, None)), AS_OF) == ()


def test_audiences_are_counted_with_their_movement_and_the_empty_ones_too(spark):
    rows = [
        ("a", "stays", BEFORE), ("a", "stays", AS_OF), ("a", "comes", AS_OF), ("a", "goes", BEFORE), ("a", "u", LATER),
        ("removed", "u", AS_OF),
    ]  # fmt: skip
    members = build(spark, USER_AUDIENCES, [{"audience": a, "user_id": u, "as_of": d} for a, u, d in rows])
    spend = value(spark, ("stays", AS_OF, "t", "0.1", "5"), ("goes", AS_OF, "t", "0.1", "7"))
    texts = {
        "b": AudienceText(description="B"),
        "a": AudienceText(description="A", owner="CRM", benefits="An offer"),
    }
    assert audience_counts(members, spend, texts, AS_OF, BEFORE, regrouped(spark)) == (
        AudienceCount("a", "A", "CRM", 2, 1, 1, Decimal(5), "An offer"),
        AudienceCount("b", "B", "", 0, 0, 0, Decimal()),
    )


def test_who_merged_neither_entered_nor_left_an_audience(spark):
    rows = [("a", "kept", AS_OF), ("a", "absorbed", BEFORE), ("a", "comes", AS_OF)]
    members = build(spark, USER_AUDIENCES, [{"audience": a, "user_id": u, "as_of": d} for a, u, d in rows])
    others = regrouped(spark, kept="merged", absorbed="merged")
    texts = {"a": AudienceText(description="A")}
    assert audience_counts(members, value(spark), texts, AS_OF, BEFORE, others) == (
        AudienceCount("a", "A", "", 2, 1, 0, Decimal()),
    )


def test_a_date_has_the_rule_of_its_time_and_early_dates_the_first(spark):
    rows = [
        {"audience": "a", "from_as_of": BEFORE, "sql": "old", "semantic_hash": "1"},
        {"audience": "a", "from_as_of": AS_OF, "sql": "new", "semantic_hash": "2"},
        {"audience": "a", "from_as_of": LATER, "sql": "later", "semantic_hash": "3"},
        {"audience": "b", "from_as_of": LATER, "sql": "first", "semantic_hash": "4"},
        {"audience": "ended", "from_as_of": BEFORE, "sql": "true", "semantic_hash": "5"},
        {"audience": "ended", "from_as_of": AS_OF, "sql": None, "semantic_hash": "6"},
    ]
    assert audience_rules(build(spark, AUDIENCE_DEFINITIONS, rows), AS_OF) == {"a": "new", "b": "first"}

"""The packaged ladder: every stage, and both sides of every threshold."""

from datetime import date

import pytest

from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.stages.ladder import assign_stages, to_stage_totals
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.users.catalogue.model import Catalogue
from lifestage.users.features.tables import user_features
from support.frames import assert_frames, assert_rows, build, shuffled

D = date(2026, 6, 30)
LONG_AGO = date(2020, 1, 1)
FEATURES = user_features(Catalogue.model_validate(packaged_yaml("users/catalogue/defaults.yaml")))
LADDER = StageLadder.model_validate(packaged_yaml("analytics/stages/defaults.yaml"))

# A user who is mature, unless a case changes a column.
STEADY = {
    "as_of": D,
    "status": "active",
    "joined_on": LONG_AGO,
    "activated_on": LONG_AGO,
    "silence_days": 10,
    "cycle_days": 30,
    "tenure_days": 2000,
    "is_left_censored": False,
    "interaction_ratio_90d": 1.0,
    "consumption_ratio_90d": 1.0,
    "is_below_median_spend": False,
}
RETURNED = {"returned_gap_cycle_days": 30}

CASES = {
    "steady": ({}, "mature"),
    "not_joined": ({"joined_on": None, "activated_on": None}, "visitor"),
    "not_joined_and_silent": ({"joined_on": None, "silence_days": 999}, "visitor"),
    "not_activated": ({"activated_on": None}, "registered"),
    "not_activated_and_silent": ({"activated_on": None, "silence_days": 999}, "registered"),
    "silent_beyond_four_cycles": ({"silence_days": 121}, "churned"),
    "silent_for_four_cycles": ({"silence_days": 120}, "dormant"),
    "silent_beyond_two_cycles": ({"silence_days": 61}, "dormant"),
    "silent_for_two_cycles": ({"silence_days": 60}, "mature"),
    "back_after_more_than_four_cycles": ({"returned_gap_days": 121, **RETURNED}, "recalled"),
    "back_after_four_cycles": ({"returned_gap_days": 120, **RETURNED}, "reawakened"),
    "back_after_more_than_two_cycles": ({"returned_gap_days": 61, **RETURNED}, "reawakened"),
    "back_after_two_cycles": ({"returned_gap_days": 60, **RETURNED}, "mature"),
    "back_by_the_cycle_before": (
        {"returned_gap_days": 81, "returned_gap_cycle_days": 20, "cycle_days": 90},
        "recalled",
    ),
    "joined_90_days_ago": ({"tenure_days": 90}, "novice"),
    "joined_91_days_ago": ({"tenure_days": 91}, "mature"),
    "joined_today": ({"tenure_days": 0}, "novice"),
    "first_seen_when_history_began": ({"tenure_days": 90, "is_left_censored": True}, "mature"),
    "comes_less": ({"interaction_ratio_90d": 0.69}, "declining"),
    "comes_just_often_enough": ({"interaction_ratio_90d": 0.7}, "mature"),
    "spends_less": ({"consumption_ratio_90d": 0.69}, "declining"),
    "spends_just_enough": ({"consumption_ratio_90d": 0.7}, "mature"),
    "comes_more": ({"interaction_ratio_90d": 1.21}, "growth"),
    "comes_hardly_more": ({"interaction_ratio_90d": 1.2}, "mature"),
    "spends_more": ({"consumption_ratio_90d": 1.21}, "growth"),
    "spends_hardly_more": ({"consumption_ratio_90d": 1.2}, "mature"),
    "below_the_middle": ({"is_below_median_spend": True}, "growth"),
    # First match wins.
    "back_and_silent_again": ({"silence_days": 121, "returned_gap_days": 999, **RETURNED}, "churned"),
    "back_as_a_novice": ({"returned_gap_days": 61, **RETURNED, "tenure_days": 80}, "reawakened"),
    "novice_who_fades": ({"tenure_days": 90, "interaction_ratio_90d": 0.1}, "novice"),
    "comes_less_spends_more": ({"interaction_ratio_90d": 0.5, "consumption_ratio_90d": 2.0}, "declining"),
    # NULL is false.
    "never_silent_nor_active": ({"silence_days": None}, "mature"),
    "without_a_cycle": ({"silence_days": 999, "cycle_days": None}, "mature"),
    "too_young_for_trends": ({"interaction_ratio_90d": None, "consumption_ratio_90d": None}, "mature"),
    "censoring_unknown": ({"tenure_days": 5, "is_left_censored": None}, "mature"),
    "one_trend_known": ({"interaction_ratio_90d": None, "consumption_ratio_90d": 0.5}, "declining"),
    "middle_unknown": ({"is_below_median_spend": None}, "mature"),
}


def users(spark, cases):
    return build(spark, FEATURES, [{**STEADY, "user_id": name, **columns} for name, columns in cases.items()])


@pytest.fixture(scope="module")
def stages(spark_session):
    features = users(spark_session, {name: columns for name, (columns, _) in CASES.items()})
    # Most tests here read it. A checkpoint outlives the cache, which is cleared after each test.
    return assign_stages(features, LADDER).localCheckpoint()


@pytest.mark.parametrize("name", CASES)
def test_a_user_is_in_the_first_stage_whose_condition_holds(stages, name):
    assert_rows(stages.where(f"user_id = '{name}'").select("stage"), [(CASES[name][1],)])


def test_every_stage_is_reached_by_a_user():
    assert {stage for _, stage in CASES.values()} == {rung.stage for rung in LADDER.ladder}


@pytest.mark.parametrize(
    ("name", "matched"),
    [
        ("silent_beyond_four_cycles", {"cycle_days": "30", "silence_days": "121"}),
        ("not_joined", {"joined_on": None}),
        ("spends_less", {"consumption_ratio_90d": "0.69", "interaction_ratio_90d": "1.0"}),
        ("one_trend_known", {"consumption_ratio_90d": "0.5", "interaction_ratio_90d": None}),
        ("steady", {}),
    ],
)
def test_the_rule_is_kept_with_the_value_of_every_feature_it_names(stages, name, matched):
    rule = next(rung.when for rung in LADDER.ladder if rung.stage == CASES[name][1])
    rows = stages.where(f"user_id = '{name}'").select("rule", "matched").collect()
    assert [(row["rule"], row["matched"]) for row in rows] == [(rule, matched)]


def test_a_shared_user_has_no_stage(spark):
    features = users(spark, {"card": {}, "till": {"status": "shared"}})
    assert_rows(assign_stages(features, LADDER).select("user_id", "stage"), [("card", "mature")])


def test_a_user_who_meets_no_condition_has_a_null_stage(spark):
    ladder = LADDER.model_copy(update={"ladder": LADDER.ladder[:-1]})
    actual = assign_stages(users(spark, {"steady": {}, "left": {"silence_days": 121}}), ladder)
    assert_rows(actual.select("user_id", "stage"), [("steady", None), ("left", "churned")])


def test_an_empty_input_gives_no_rows(spark):
    assert_rows(assign_stages(users(spark, {}), LADDER).select("user_id"), [])


def test_order_and_partitions_do_not_matter(spark, stages):
    cases = {name: columns for name, (columns, _) in reversed(CASES.items())}
    actual = assign_stages(shuffled(users(spark, cases)), LADDER)
    assert_frames(
        actual.select("user_id", "as_of", "stage", "rule"), stages.select("user_id", "as_of", "stage", "rule")
    )


def test_totals_add_users_and_spend_by_stage_and_date(spark):
    rows = [
        {**STEADY, "user_id": "u1", "net_amount_30d": "10.50"},
        {**STEADY, "user_id": "u2", "net_amount_30d": None},
        {**STEADY, "user_id": "u3", "silence_days": 121, "net_amount_30d": "-1.00"},
        {**STEADY, "user_id": "u4", "status": "shared", "net_amount_30d": "99.00"},
    ]
    totals = to_stage_totals(build(spark, FEATURES, rows), LADDER)
    assert_rows(totals, [(D, "mature", 2, "10.50"), (D, "churned", 1, "-1.00")])

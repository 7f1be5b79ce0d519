"""Cycles, silence and returns of each user."""

import pytest

from lifestage.users.features.rhythm import add_gaps, add_rhythm, build_cycle_norms, build_spend_norms
from lifestage.users.features.tables import RHYTHM_COLUMNS
from support.frames import assert_frames, assert_rows, shuffled
from users.features.builders import D, before, config_of
from users.features.people import after_gaps, every, people, person

HISTORY_STARTS = before(300)
CONFIG = config_of(history_starts_on=HISTORY_STARTS, margin=10)
# 100 gaps of 50 days in the store, 99 of 20 on the web: the store has a norm of its own, the web has not.
STORE = [person(f"store{n}", every(50, 4, last=400), channel="store") for n in range(25)]
WEB = [person(f"web{n}", every(20, 3, last=400), channel="web") for n in range(33)]
PEOPLE = [
    *STORE,
    *WEB,
    person("four_gaps", after_gaps(10, 40, 20, 30, last=5)),
    person("five_gaps", after_gaps(10, 40, 20, 30, 50, last=5)),
    person("three_gaps", after_gaps(10, 40, 20, last=5)),
    person("web_buyer", [5], channel="web"),
    person("no_channel", [5], channel=None),
    person("daily", every(1, 4, last=2)),
    person("yearly", every(365, 4, last=40)),
    person("window", last_active_on=before(12)),
    person("addressee"),
    person("came_back", after_gaps(20, 20, 20, 20, 100, last=29)),
    person("came_back_earlier", after_gaps(20, 20, 20, 20, 100, last=30)),
    person("came_back_early_in_life", after_gaps(20, 20, 20, 100, last=29)),
    person("twice_the_same", after_gaps(60, 60, 60, 15, 15, last=1)),
    person("longest_of_two", after_gaps(3, 3, 3, 3, 20, 2, last=3)),
    person("joined_at_the_margin", [290]),
    person("joined_after_the_margin", [289]),
]


@pytest.fixture(scope="module")
def rhythm(spark_session):
    # Looked at by most tests of this file; a checkpoint outlives the cache that is cleared between them.
    return rhythm_of(spark_session, PEOPLE).localCheckpoint()


def rhythm_of(spark, rows, config=CONFIG):
    return add_norms_and_rhythm(add_gaps(people(spark, rows)), config)


def add_norms_and_rhythm(state, config=CONFIG):
    norms = build_cycle_norms(state, config.rhythm).unionByName(build_spend_norms(state))
    return add_rhythm(state, norms, config)


def of(rhythm, user, *columns):
    return rhythm.where(f"user_id = '{user}'").select(*columns)


def test_from_four_gaps_on_the_cycle_is_the_users_own_80th_percentile(rhythm):
    columns = ("own_cycle_days", "cycle_days", "cycle_source", "median_gap_days")
    assert_rows(of(rhythm, "four_gaps", *columns), [(40, 40, "own", 20)])


def test_four_of_five_gaps_are_80_percent(rhythm):
    assert_rows(of(rhythm, "five_gaps", "own_cycle_days", "median_gap_days"), [(40, 30)])


def test_with_three_gaps_the_norm_of_the_first_channel_holds(rhythm):
    columns = ("own_cycle_days", "cycle_days", "cycle_source", "median_gap_days")
    assert_rows(of(rhythm, "three_gaps", *columns), [(None, 50, "channel", 20)])


def test_below_a_hundred_gaps_a_channel_has_no_norm_and_that_of_all_holds(rhythm):
    assert_rows(of(rhythm, "web_buyer", "cycle_days", "cycle_source"), [(50, "all")])


def test_without_a_channel_the_norm_of_all_holds(rhythm):
    assert_rows(of(rhythm, "no_channel", "cycle_days", "cycle_source"), [(50, "all")])


def test_a_cycle_is_held_above_its_floor_and_below_its_ceiling(rhythm):
    assert_rows(of(rhythm, "daily", "own_cycle_days", "cycle_days"), [(1, 7)])
    assert_rows(of(rhythm, "yearly", "own_cycle_days", "cycle_days"), [(365, 180)])


def test_silence_counts_from_the_last_occasion(rhythm):
    assert_rows(of(rhythm, "four_gaps", "silence_days"), [(5,)])


def test_silence_counts_from_the_last_active_day_without_an_occasion(rhythm):
    assert_rows(of(rhythm, "window", "silence_days"), [(12,)])


def test_a_user_without_activity_has_no_silence(rhythm):
    columns = (
        "silence_days",
        "median_gap_days",
        "returned_gap_days",
        "is_left_censored",
        "is_below_median_spend",
    )
    assert_rows(of(rhythm, "addressee", *columns), [(None, None, None, None, True)])


def test_a_gap_that_ended_in_the_last_30_days_is_compared_with_the_cycle_before_it(rhythm):
    columns = ("returned_gap_days", "returned_gap_cycle_days")
    assert_rows(of(rhythm, "came_back", *columns), [(100, 20)])


def test_a_gap_that_ended_31_days_ago_is_no_return(rhythm):
    columns = ("returned_gap_days", "returned_gap_cycle_days")
    assert_rows(of(rhythm, "came_back_earlier", *columns), [(None, None)])


def test_with_three_gaps_before_the_return_the_norm_is_the_cycle(rhythm):
    """The user has an own cycle today, but had none when the gap began."""
    columns = ("cycle_source", "returned_gap_days", "returned_gap_cycle_days")
    assert_rows(of(rhythm, "came_back_early_in_life", *columns), [("own", 100, 50)])


def test_of_equally_long_gaps_the_latest_counts(rhythm):
    """The earlier gap has three gaps before it, so the norm of 50; the later one has four, so an own cycle of 60."""
    columns = ("returned_gap_days", "returned_gap_cycle_days")
    assert_rows(of(rhythm, "twice_the_same", *columns), [(15, 60)])


def test_of_several_returns_the_longest_gap_counts(rhythm):
    columns = ("returned_gap_days", "returned_gap_cycle_days")
    assert_rows(of(rhythm, "longest_of_two", *columns), [(20, 7)])


def test_a_user_who_joined_up_to_the_margin_is_left_censored(rhythm):
    assert_rows(of(rhythm, "joined_at_the_margin", "is_left_censored"), [(True,)])
    assert_rows(of(rhythm, "joined_after_the_margin", "is_left_censored"), [(False,)])


def test_below_the_median_spend_means_strictly_below(spark):
    spends = {"below": "9.99", "in_the_middle": "10.00", "above": "10.01"}
    actual = rhythm_of(spark, [person(user, [1], spend=spend) for user, spend in spends.items()])
    expected = [("below", True), ("in_the_middle", False), ("above", False)]
    assert_rows(actual.select("user_id", "is_below_median_spend"), expected)


def test_where_nobody_has_a_gap_the_default_cycle_holds(spark):
    actual = rhythm_of(spark, [person("u1", [3]), person("u2", last_active_on=D)])
    assert_rows(
        actual.select("user_id", "cycle_days", "cycle_source"), [("u1", 30, "default"), ("u2", 30, "default")]
    )


def test_a_date_without_any_norm_keeps_its_users(spark):
    actual = rhythm_of(spark, [person("u1", last_active_on=D)])
    assert_rows(actual.select("user_id", "cycle_days", "is_below_median_spend"), [("u1", 30, False)])


def test_repeat_rate_and_price_level_are_null_where_nothing_was_bought(spark):
    loyal = person(
        "u1",
        [1],
        n_categories_365d=4,
        n_repeat_categories_365d=1,
        priced_amount_365d=150,
        expected_amount_365d=1_000_000,
    )
    actual = rhythm_of(spark, [loyal, person("u2", n_categories_365d=0, n_repeat_categories_365d=0)])
    columns = ("user_id", "n_categories_365d", "repeat_rate_365d", "price_level_365d")
    assert_rows(actual.select(*columns), [("u1", 4, 0.25, 1.5), ("u2", 0, None, None)])


def test_order_and_partitions_of_the_state_do_not_matter(spark, rhythm):
    actual = add_norms_and_rhythm(shuffled(add_gaps(people(spark, PEOPLE[::-1]))))
    columns = ["user_id", *[column.name for column in RHYTHM_COLUMNS]]
    assert_frames(actual.select(columns), rhythm.select(columns))

"""The state at a date: windows, dates, occasion days and distinct counts."""

from datetime import date

import pytest
from pyspark.sql import functions as F

from lifestage.users.features.state import rebuild_state
from lifestage.users.features.tables import user_state
from lifestage.users.features.user_days import to_nonadditive_days, to_user_days
from support.frames import assert_frames, assert_rows, shuffled
from users.features.builders import D, before, catalogue, day, own_users, purchase, state_of, subject_days

WINDOWS = {
    "net_amount": {"days": [7, "all"], "before": [7]},
    "occasions": {"days": [7, "all"], "before": [7]},
    "quantity": {"days": [7]},
    "occasion_units": {"days": [7]},
    "dearest": {"days": [7]},
    "cheapest": {"days": [7]},
    "used_features": {"days": [7, "all"], "before": [7]},
}
SMALL = catalogue(WINDOWS)
ROWS = [
    # A day on each side of each edge of the two windows of 7 days.
    purchase("edges", before(0), "1.00"),
    purchase("edges", before(6), "10.00"),
    purchase("edges", before(7), "100.00"),
    purchase("edges", before(13), "1000.00"),
    purchase("edges", before(14), "10000.00"),
    purchase("future", before(-1), "5.00"),
    purchase("extremes", before(2), "30.00", dearest="20.00", cheapest="10.00", quantity="2.500"),
    purchase("extremes", before(9), "99.99", dearest="99.99", cheapest="0.01"),
    day("returner", before(3), n_actions=1, net_amount="-20.00", quantity="0"),
    purchase("taster", before(1), "0.00"),
    purchase("curious", before(20), "49.99", used_features=["search", "wishlist"]),
    day("curious", before(7), n_actions=1, used_features=["search"]),
    day("curious", before(6), n_actions=1, used_features=["search", "share"]),
    day("curious", before(0), n_actions=1, used_features=["share"]),
    purchase("spender", before(40), "49.99", quantity="2.499"),
    purchase("spender", before(30), "50.00", quantity="2.500"),
    purchase("spender", before(20), "80.00", quantity="1.000"),
    purchase("channels", before(9), "1.00", purchase_channel=None),
    purchase("channels", before(8), "1.00", purchase_channel="web"),
    purchase("channels", before(7), "1.00", purchase_channel="app"),
]


@pytest.fixture(scope="module")
def state(spark_session):
    # Looked at by most tests of this file; a checkpoint outlives the cache that is cleared between them.
    return state_of(spark_session, ROWS, SMALL).localCheckpoint()


def of(state, user, *columns):
    return state.where(f"user_id = '{user}'").select(*columns)


def test_a_window_holds_as_many_calendar_days_ending_with_as_of(state):
    assert_rows(of(state, "edges", "net_amount_7d", "occasions_7d"), [("11.00", 2)])


def test_the_window_before_ends_where_the_window_begins(state):
    assert_rows(of(state, "edges", "net_amount_prior_7d", "occasions_prior_7d"), [("1100.00", 2)])


def test_all_history_is_a_window_without_a_beginning(state):
    assert_rows(of(state, "edges", "net_amount_all", "occasions_all"), [("11111.00", 5)])


def test_a_user_whose_first_day_is_after_as_of_does_not_exist(state):
    assert_rows(of(state, "future", "user_id"), [])


def test_least_and_greatest_of_a_window_keep_their_unit(state):
    columns = ("dearest_7d", "cheapest_7d", "quantity_7d", "occasion_units_7d")
    assert_rows(of(state, "extremes", *columns), [("20.00", "10.00", "2.500", "2.500")])


def test_extremes_of_no_days_are_null_and_sums_zero(state):
    assert_rows(of(state, "spender", "dearest_7d", "net_amount_7d"), [(None, "0.00")])


def test_a_day_of_returns_only_is_no_occasion_but_counts_in_net_spend(state):
    columns = ("occasions_all", "net_amount_all", "last_occasion_on", "occasion_days")
    assert_rows(of(state, "returner", *columns), [(0, "-20.00", None, [])])


def test_a_purchase_of_nothing_is_no_occasion(state):
    assert_rows(of(state, "taster", "occasions_all", "occasion_days", "first_seen_on"), [(0, [], before(1))])


def test_occasion_days_ascend(state):
    days = [before(n) for n in (14, 13, 7, 6, 0)]
    assert_rows(of(state, "edges", "occasion_days"), [(days,)])


def test_date_conditions_use_money_and_units_as_declared(state):
    columns = ("first_big_day_on", "last_big_basket_on", "last_occasion_on")
    assert_rows(of(state, "spender", *columns), [(before(30), before(30), before(20))])


def test_distinct_values_count_once_in_each_window(state):
    columns = ("used_features_7d", "used_features_prior_7d", "used_features_all")
    assert_rows(of(state, "curious", *columns), [(2, 1, 3)])


def test_a_user_without_values_has_a_distinct_count_of_zero(state):
    assert_rows(of(state, "edges", "used_features_7d", "used_features_all"), [(0, 0)])


def test_a_value_of_two_subjects_of_a_user_counts_once(spark):
    rows = [day("cookie", D, used_features=["wishlist", "search"]), day("card", D, used_features=["search"])]
    both = state_of(spark, rows, SMALL, users={"cookie": "u1", "card": "u1"})
    assert_rows(both.select("used_features_all"), [(2,)])


def test_the_first_purchase_channel_is_that_of_the_first_day_that_names_one(state):
    assert_rows(of(state, "channels", "first_purchase_channel"), [("web",)])


def test_the_state_has_the_types_of_its_table(state):
    declared = {field.name: field.dataType.simpleString() for field in user_state(SMALL).schema.fields}
    actual = {name: kind for name, kind in state.dtypes if name != "as_of"}
    assert actual == {name: declared[name] for name in actual}


def test_several_dates_in_one_pass_are_those_dates_one_by_one(spark, state):
    early, later = before(10), before(3)
    together = state_of(spark, ROWS, SMALL, [early, later, D])
    alone = [state_of(spark, ROWS, SMALL, [each]) for each in (early, later)]
    assert_frames(together, alone[0].unionByName(alone[1]).unionByName(state))


def test_order_and_partitions_of_the_days_do_not_matter(spark, state):
    """All days of a user stay in one partition."""
    days, users = shuffled(subject_days(spark, ROWS[::-1], SMALL)), own_users(spark, ROWS)
    user_days = to_user_days(days, users, SMALL).orderBy(F.desc("event_date")).repartition(3, "user_id")
    nonadditive_days = shuffled(to_nonadditive_days(days, users, SMALL), 3)
    assert_frames(rebuild_state(user_days, nonadditive_days, [D], SMALL), state)


def test_no_days_make_no_users(spark):
    assert_rows(state_of(spark, [], SMALL, users={"nobody": "u0"}).select("user_id"), [])


def test_a_leap_day_is_a_day(spark):
    rows = [purchase("s1", date(2024, 2, 28), "1.00"), purchase("s1", date(2024, 2, 29), "10.00")]
    actual = state_of(spark, rows, SMALL, [date(2024, 3, 6)])
    assert_rows(actual.select("net_amount_7d", "net_amount_prior_7d"), [("10.00", "1.00")])

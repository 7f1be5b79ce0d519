"""Categories that users buy, the top one, and the price level."""

from decimal import Decimal

import pytest
from pyspark.sql import functions as F

from lifestage.users.activity.tables import CATEGORY_DAYS
from lifestage.users.features.categories import (
    add_category_columns,
    build_unit_prices,
    rebuild_category_totals,
    to_user_category_days,
)
from support.frames import assert_frames, assert_rows, build, shuffled
from users.features.builders import D, before, identities


def line(user, category, gross, on=D, units="1", n=1, returned="0"):
    """A subject-day of one category; `returned` is given back the same day."""
    month = on.replace(day=1)
    net = Decimal(gross) - Decimal(returned)
    day = {"subject": user, "event_date": on, "event_month": month, "category": category}
    return {**day, "n_purchases": n, "quantity": units, "gross_amount": gross, "net_amount": net}


def refund(user, category, amount, on=D):
    return line(user, category, "0", on, units="0", n=0, returned=amount)


ROWS = [
    line("edges", "A", "1.00", before(364)),
    line("edges", "B", "1.00", before(365)),
    line("repeat", "A", "5.00", before(1)),
    line("repeat", "A", "5.00", before(2)),
    line("repeat", "B", "5.00", before(2), n=2),
    line("repeat", "C", "5.00", before(3)),
    refund("repeat", "C", "1.00", before(2)),
    line("undecided", "A", "7.00", before(9)),
    line("undecided", "A", "7.00", before(8)),
    refund("undecided", "A", "14.00", before(7)),
    line("undecided", "B", "3.00", before(7)),
    line("tied", "B", "8.00"),
    line("tied", "A", "8.00"),
    line("unknown", None, "9.00"),
    line("future", "A", "1.00", before(-1)),
]


def prices_of(spark, rows):
    return build_unit_prices(totals_of(spark, rows)).select("as_of", "group", "value", "n")


def totals_of(spark, rows, as_of=(D,), users=None):
    days = to_user_category_days(
        build(spark, CATEGORY_DAYS, rows), identities(spark, users) if users else own(spark, rows)
    )
    return rebuild_category_totals(days, as_of)


def own(spark, rows):
    return identities(spark, {row["subject"]: row["subject"] for row in rows})


def state_of(spark, rows, as_of=(D,)):
    totals = totals_of(spark, rows, as_of)
    return add_category_columns(totals, build_unit_prices(totals))


@pytest.fixture(scope="module")
def state(spark_session):
    # Looked at by most tests of this file; a checkpoint outlives the cache that is cleared between them.
    return state_of(spark_session, ROWS).localCheckpoint()


def of(state, user, *columns):
    return state.where(f"user_id = '{user}'").select(*columns)


COUNTS = ("n_categories_365d", "n_repeat_categories_365d", "top_category_365d")


def test_categories_of_365_days_ending_with_as_of_count(state):
    assert_rows(of(state, "edges", *COUNTS), [(1, 0, "A")])


def test_a_repeat_category_has_purchases_on_two_days(state):
    """Two lines on one day are no repeat, nor is a day with returns only."""
    assert_rows(of(state, "repeat", *COUNTS), [(3, 1, "A")])


def test_a_category_returned_entirely_does_not_count(state):
    """So the repeat rate is a share."""
    assert_rows(of(state, "undecided", *COUNTS), [(1, 0, "B")])


def test_of_equal_spend_the_first_by_name_is_top(state):
    assert_rows(of(state, "tied", "top_category_365d"), [("A",)])


def test_unknown_categories_and_days_after_as_of_are_left_out(state):
    assert_rows(state.where("user_id IN ('unknown', 'future')").select("user_id"), [])


def test_a_unit_price_is_spend_over_units_in_millionths(spark):
    rows = [
        line("u1", "A", "10.00", units="3"),
        line("u2", "A", "0.99", units="0.500"),
        line("u1", "B", "5.00", units="0"),
    ]
    assert_rows(prices_of(spark, rows), [(D, "A", 3_140_000, 3_500)])


def test_a_unit_price_is_rounded_down(spark):
    assert_rows(prices_of(spark, [line("u1", "A", "2.00", units="3")]), [(D, "A", 666_666, 3_000)])


def test_amounts_paid_and_expected_cover_categories_with_a_price(spark):
    """A unit of A costs 3.00 on average, of B 10.00; C has no price, so what it cost is not compared."""
    rows = [
        line("thrifty", "A", "4.00", units="2"),
        line("thrifty", "B", "10.00", units="1"),
        line("thrifty", "C", "99.00", units="0"),
        line("lavish", "A", "5.00", units="1"),
    ]
    actual = state_of(spark, rows).select("user_id", "priced_amount_365d", "expected_amount_365d")
    assert_rows(actual, [("thrifty", 1400, 16_000_000), ("lavish", 500, 3_000_000)])


def test_dates_in_one_pass_have_prices_and_rows_of_their_own(spark):
    rows = [line("u1", "A", "1.00", before(1)), line("u2", "A", "3.00", D)]
    dates = (before(1), D)
    actual = state_of(spark, rows, dates).select("as_of", "user_id", "expected_amount_365d")
    expected = [(before(1), "u1", 1_000_000), (D, "u1", 2_000_000), (D, "u2", 2_000_000)]
    assert_rows(actual, expected)


def test_subjects_of_one_user_share_their_categories(spark):
    rows = [line("cookie", "A", "1.00", before(1)), line("card", "A", "1.00", before(2))]
    totals = totals_of(spark, rows, users={"cookie": "u1", "card": "u1"})
    actual = totals.select("user_id", F.inline("category_totals"))
    assert_rows(actual.select("user_id", "category", "gross", "n_days"), [("u1", "A", 200, 2)])


def test_order_and_partitions_do_not_matter(spark, state):
    days = shuffled(build(spark, CATEGORY_DAYS, ROWS[::-1]))
    totals = rebuild_category_totals(shuffled(to_user_category_days(days, own(spark, ROWS)), 3), [D])
    assert_frames(add_category_columns(totals, build_unit_prices(totals)), state)

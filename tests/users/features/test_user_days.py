"""Subject-days merge to user-days before conditions are evaluated."""

import hashlib

import pytest

from support.frames import assert_rows
from users.features.builders import before, catalogue, day, purchase, user_days_of

DAY_1, DAY_2 = before(1), before(0)
COOKIE_AND_CARD = [
    purchase("cookie", DAY_1, "30.00", quantity=2, dearest="30.00", used_features=["wishlist", "search"]),
    day("card", DAY_1, n_actions=1, net_amount="-30.00", used_features=["search"]),
    day("cookie", DAY_2, n_actions=1),
    purchase("card", DAY_2, "10.00", quantity="1.250"),
]


@pytest.fixture(scope="module")
def user_days(spark_session):
    frame = user_days_of(spark_session, COOKIE_AND_CARD, catalogue({}), {"cookie": "u1", "card": "u1"})
    # Looked at by every test of this file; a checkpoint outlives the cache that is cleared between them.
    return frame.localCheckpoint()


def test_a_cookie_that_buys_and_a_card_that_returns_make_one_active_day_without_an_occasion(user_days):
    """The known answer of the definition."""
    actual = user_days.select("event_date", "active_days", "occasions", "net_amount")
    assert_rows(actual, [(DAY_1, 1, 0, 0), (DAY_2, 1, 1, 1000)])


def test_a_user_day_adds_what_its_subjects_did(user_days):
    actual = user_days.select("event_date", "n_actions", "n_purchases", "quantity", "purchase_channel")
    assert_rows(actual, [(DAY_1, 2, 1, 2000, "store"), (DAY_2, 2, 1, 1250, "store")])


def test_extremes_of_subjects_merge_and_nothing_stays_null(user_days):
    assert_rows(
        user_days.select("event_date", "dearest", "cheapest"), [(DAY_1, 3000, None), (DAY_2, None, None)]
    )


def test_units_of_a_day_measure_are_thousandths(user_days):
    assert_rows(user_days.select("event_date", "occasion_units"), [(DAY_1, 0), (DAY_2, 1250)])


def test_users_stay_separate_and_unknown_subjects_are_their_own_users(spark):
    rows = [purchase("cookie", DAY_1), purchase("card", DAY_1), purchase("stranger", DAY_1)]
    actual = user_days_of(spark, rows, catalogue({}), {"cookie": "u1", "card": "u2"})
    own = hashlib.sha256(b"user:stranger").hexdigest()[:32]
    assert_rows(actual.select("user_id", "is_shared"), [("u1", False), ("u2", False), (own, False)])


def test_a_day_of_a_shared_user_is_shared(spark):
    rows = [purchase("till", DAY_1), purchase("card", DAY_1)]
    actual = user_days_of(spark, rows, catalogue({}), {"till": ("u1", "shared"), "card": "u2"})
    assert_rows(actual.select("user_id", "is_shared"), [("u1", True), ("u2", False)])

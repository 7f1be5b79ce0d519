"""The shipped SQL features of one user, and the order in which features are computed."""

from decimal import Decimal

import pytest
from pyspark.sql import types as T

from lifestage.users.features.mapping import add_features, layer_features
from lifestage.users.features.tables import RHYTHM_COLUMNS, user_features, user_state
from support.frames import assert_rows
from users.features.builders import SHIPPED, D, before, catalogue

STATE_TABLE = user_state(SHIPPED)
WINDOWS = {window.name for window in SHIPPED.all_windows()}
FIELDS = [T.StructField("as_of", T.DateType()), *STATE_TABLE.schema.fields]
FIELDS += [column.field for column in RHYTHM_COLUMNS if column.name not in STATE_TABLE.names]


def state(user_id, **columns):
    """A row of the state and its rhythm: windows not stated are zero, all else not stated is NULL."""
    no_days = {"occasion_days": [], "category_totals": []}
    stated = {"user_id": user_id, "as_of": D, "status": "active", **no_days, **columns}
    assert set(stated) <= {field.name for field in FIELDS}
    return tuple(stated.get(field.name, zero(field) if field.name in WINDOWS else None) for field in FIELDS)


def zero(field):
    return Decimal(0) if isinstance(field.dataType, T.DecimalType) else 0


BUYER = {
    "occasions_365d": 4,
    "net_amount_365d": Decimal("100.01"),
    "gross_amount_365d": Decimal("100.00"),
    "return_amount_365d": Decimal("25.00"),
    "discount_amount_365d": Decimal("60.00"),
    "coupon_amount_365d": Decimal("25.00"),
    "new_product_amount_365d": Decimal("10.00"),
    "weekend_occasions_365d": 1,
    "quantity_365d": Decimal("10.000"),
}
VISITOR = {
    "n_actions_90d": 8,
    "night_actions_90d": 1,
    "morning_actions_90d": 2,
    "evening_actions_90d": 4,
    "web_actions_90d": 5,
    "app_actions_90d": 2,
    "store_actions_90d": 1,
    "n_sessions_90d": 4,
    "n_views_90d": 10,
    "n_ratings_365d": 3,
    "rating_points_365d": 1150,
}
BOTH_WINDOWS = {
    "joined_on": before(179),
    "active_days_90d": 6,
    "active_days_prior_90d": 8,
    "net_amount_90d": Decimal("30.00"),
    "net_amount_prior_90d": Decimal("20.00"),
}
ROWS = [
    state("nobody"),
    state("buyer", **BUYER),
    state("visitor", **VISITOR),
    state("covered", **BOTH_WINDOWS),
    state("one_day_short", **{**BOTH_WINDOWS, "joined_on": before(178)}),
    state("began", **{**BOTH_WINDOWS, "active_days_prior_90d": 0, "net_amount_prior_90d": Decimal(0)}),
    state("gave_back_before", **{**BOTH_WINDOWS, "net_amount_prior_90d": Decimal("-5.00")}),
    state("gave_back_now", **{**BOTH_WINDOWS, "net_amount_90d": Decimal("-10.00")}),
    state(
        "dated",
        joined_on=before(40),
        last_active_on=before(3),
        last_login_on=before(9),
        last_occasion_on=before(0),
    ),
]


@pytest.fixture(scope="module")
def features(spark_session):
    frame = spark_session.createDataFrame(ROWS, T.StructType(FIELDS))
    # Looked at by most tests of this file; a checkpoint outlives the cache that is cleared between them.
    return add_features(frame, SHIPPED, user_features(SHIPPED)).localCheckpoint()


def of(features, user, *columns):
    return features.where(f"user_id = '{user}'").select(*columns)


TRENDS = ("interaction_ratio_90d", "consumption_ratio_90d")


def test_trends_compare_90_days_with_the_90_before(features):
    assert_rows(of(features, "covered", *TRENDS), [(0.75, 1.5)])


def test_trends_are_null_unless_tenure_covers_both_windows(features):
    assert_rows(of(features, "one_day_short", *TRENDS), [(None, None)])


def test_trends_are_null_against_nothing(features):
    assert_rows(of(features, "began", *TRENDS), [(None, None)])


def test_spend_is_not_compared_with_a_period_of_returns(features):
    assert_rows(of(features, "gave_back_before", *TRENDS), [(0.75, None)])


def test_more_returned_than_bought_is_a_negative_trend(features):
    assert_rows(of(features, "gave_back_now", "consumption_ratio_90d"), [(-0.5,)])


def test_shares_of_what_was_bought(features):
    """Discounts and coupons are shares of the price before them, returns of the amount paid."""
    columns = ("return_share_365d", "discount_share_365d", "coupon_share_365d", "new_product_share_365d")
    assert_rows(of(features, "buyer", *columns), [(0.25, 0.375, 0.2, 0.1)])


def test_per_occasion(features):
    columns = ("mean_occasion_amount_365d", "units_per_occasion_365d", "weekend_share_365d")
    assert_rows(of(features, "buyer", *columns), [("25.00", 2.5, 0.25)])


def test_shares_of_actions(features):
    times = ("night_share_90d", "morning_share_90d", "evening_share_90d")
    places = ("web_share_90d", "app_share_90d", "store_share_90d")
    assert_rows(of(features, "visitor", *times), [(0.125, 0.25, 0.5)])
    assert_rows(of(features, "visitor", *places), [(0.625, 0.25, 0.125)])


def test_browsing_and_satisfaction(features):
    assert_rows(of(features, "visitor", "browse_depth_90d", "satisfaction_365d"), [(2.5, 1150 / 300)])


def test_days_since_count_to_as_of(features):
    columns = ("tenure_days", "days_since_active", "days_since_login", "recency_days")
    assert_rows(of(features, "dated", *columns), [(40, 3, 9, 0)])


def test_a_user_without_anything_has_null_instead_of_ratios_and_dates(features):
    assert_rows(of(features, "nobody", *SHIPPED.features), [tuple(None for _ in SHIPPED.features)])


def test_hidden_windows_stay_in_the_state(features):
    assert {"net_amount_365d", "quantity_365d"} & set(features.columns) == {"net_amount_365d"}


def feature(expression):
    return {"expression": expression, "unit": "ratio"}


def test_features_are_computed_after_those_they_use():
    features = {
        "last": feature("middle + first"),
        "middle": feature("first * 2"),
        "first": feature("net_amount_7d"),
    }
    of = catalogue({"net_amount": {"days": [7]}}, features=features)
    assert layer_features(of) == [["first"], ["middle"], ["last"]]


def test_features_that_use_each_other_in_a_circle_are_named():
    features = {"a": feature("b"), "b": feature("a"), "c": feature("1")}
    with pytest.raises(ValueError, match=r"in a circle: a, b$"):
        layer_features(catalogue({}, features=features))

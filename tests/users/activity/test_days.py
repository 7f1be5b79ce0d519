"""Subject-days from events: measures, categories and sketches."""

from datetime import date

import pytest
from pyspark.sql import functions as F

from lifestage.platform.storage.contracts import conform
from lifestage.users.activity.days import build_activity_days, build_category_days, enrich_events
from lifestage.users.activity.tables import CATEGORY_DAYS, activity_days
from support.frames import assert_frames, assert_rows, shuffled
from users.activity.builders import config, event, events, products

EVENTS = [
    # Anna, 8 March, when New York's clocks go forward at 2: 03:30 UTC is still 7 March, 10:30 is 06:30 already.
    event("2026-03-08T03:30:00", amount="0.10", channel="web", quantity="1.5"),
    event("2026-03-08T06:30:00", amount="0.20", channel="app", product_id="p1"),
    event("2026-03-08T10:30:00", amount="-5.00", event_type="return", channel="store", product_id="p1"),
    event("2026-03-08T23:00:00", event_type="message_sent", channel="mail", duration=7, rating=2.5),
    event("2026-03-08T23:00:00", amount=None, channel=None, duration=35, rating=4.5),
    # Bo gives back only, and gets a message on another day.
    event("2026-03-11T16:00:00", "bo", "return", amount="-3.33", product_id="p1"),
    event("2026-03-12T16:00:00", "bo", "message_sent"),
    # Cy uses features; p1 is a toy from 10 March on.
    *[
        event("2026-03-11T16:00:00", "cy", "feature_use", attributes={"feature": name})
        for name in ("a", "b", "a")
    ],
    event("2026-03-11T16:00:00", "cy", "feature_use", attributes=None),
    event("2026-03-11T16:00:00", "cy", "purchase", amount="1.00", product_id="p1"),
    event("2026-03-11T16:00:00", "cy", "purchase", amount="2.00", category="food"),
    # Nobody.
    event("2026-03-11T16:00:00", None, amount="1000.00"),
]
SEVENTH, EIGHTH, ELEVENTH, TWELFTH = (date(2026, 3, number) for number in (7, 8, 11, 12))


def enrich(spark, rows, **changes):
    settings = config(**changes)
    lookups = {"products": products(spark)} if settings.lookups else {}
    return enrich_events(shuffled(events(spark, rows), 3), lookups, settings)


@pytest.fixture(scope="module")
def days(spark_session):
    rows = build_activity_days(enrich(spark_session, EVENTS), config())
    return conform(rows, activity_days(config().catalogue)).localCheckpoint()


def test_one_row_per_subject_and_day_without_anonymous_events(days):
    counts = days.select("subject", "event_date", "event_month", "n_events", "n_actions")
    month = date(2026, 3, 1)
    expected = [
        ("anna", SEVENTH, month, 1, 1),
        ("anna", EIGHTH, month, 4, 3),
        ("bo", ELEVENTH, month, 1, 1),
        ("bo", TWELFTH, month, 1, 0),
        ("cy", ELEVENTH, month, 6, 6),
    ]
    assert_rows(counts, expected)


def test_money_is_exact_and_returns_are_subtracted(days):
    money = days.select("subject", "event_date", "net_amount", "quantity")
    expected = [
        ("anna", SEVENTH, "0.10", "1.500"),
        ("anna", EIGHTH, "-4.80", "0.000"),
        ("bo", ELEVENTH, "-3.33", "0.000"),
        ("bo", TWELFTH, "0.00", "0.000"),
        ("cy", ELEVENTH, "3.00", "0.000"),
    ]
    assert_rows(money, expected)


def test_without_events_sums_are_0_and_min_and_max_are_null(days):
    others = days.where("subject <> 'cy'").select("event_date", "seconds", "first_channel", "best_rating")
    expected = [
        (SEVENTH, 0, "web", None),
        (EIGHTH, 42, "app", 4.5),
        (ELEVENTH, 0, None, None),
        (TWELFTH, 0, None, None),
    ]
    assert_rows(others, expected)


def test_hours_are_in_the_business_time_zone(days):
    nights = days.where("subject = 'anna'").select("event_date", "night_actions")
    assert_rows(nights, [(SEVENTH, 1), (EIGHTH, 1)])


def test_the_category_is_that_of_the_event_or_of_the_product_on_the_day(days):
    found = days.select("subject", "event_date", "food_amount", "new_products")
    expected = [
        ("anna", SEVENTH, "0.00", 0),
        ("anna", EIGHTH, "-4.80", 0),
        ("bo", ELEVENTH, "0.00", 1),
        ("bo", TWELFTH, "0.00", 0),
        ("cy", ELEVENTH, "2.00", 1),
    ]
    assert_rows(found, expected)


def test_sketches_count_distinct_values_and_are_null_without_values(days):
    counts = days.select("subject", "event_date", F.theta_sketch_estimate("features").alias("n"))
    expected = [("cy", ELEVENTH, 2)]
    assert_rows(counts.where("n IS NOT NULL"), expected)


def test_row_order_and_partitions_do_not_matter(spark, days):
    again = build_activity_days(enrich(spark, EVENTS[::-1]), config())
    assert_frames(again, days)


def test_sketches_of_days_merge(spark):
    rows = [
        event(f"2026-03-{day}T16:00:00", "cy", "feature_use", attributes={"feature": f"f{n}"})
        for day in (11, 12)
        for n in range(day, day + 20)
    ]
    days = build_activity_days(enrich(spark, rows), config())
    assert_rows(days.select(F.theta_sketch_estimate(F.theta_union_agg("features"))), [(21,)])


def test_category_days_have_purchases_and_returns_by_category(spark):
    trades = build_category_days(enrich(spark, EVENTS))
    columns = ["subject", "event_date", "category", "n_purchases", "quantity", "gross_amount", "net_amount"]
    expected = [
        ("anna", SEVENTH, None, 1, "1.500", "0.10", "0.10"),
        ("anna", EIGHTH, "food", 1, "0.000", "0.20", "-4.80"),
        ("anna", EIGHTH, None, 1, "0.000", "0.00", "0.00"),
        ("bo", ELEVENTH, "toys", 0, "0.000", "0.00", "-3.33"),
        ("cy", ELEVENTH, "toys", 1, "0.000", "1.00", "1.00"),
        ("cy", ELEVENTH, "food", 1, "0.000", "2.00", "2.00"),
    ]
    assert_rows(conform(trades, CATEGORY_DAYS).select(*columns), expected)


def test_without_sketches_lookups_or_events_the_tables_are_as_declared(spark):
    measures = {name: item for name, item in config().catalogue.measures.items() if name == "n_events"}
    catalogue = config().catalogue.model_copy(update={"measures": measures})
    plain = {"catalogue": catalogue, "lookups": {}, "category": "category", "is_new_product": "false"}
    nothing = enrich(spark, [], **plain)
    assert conform(build_activity_days(nothing, config(**plain)), activity_days(catalogue)).isEmpty()
    assert build_category_days(nothing).isEmpty()

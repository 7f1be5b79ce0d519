"""The features of a random history, row for row against a recomputation in plain Python."""

from datetime import date
from random import Random
from zoneinfo import ZoneInfo

import pytest

from lifestage.ingestion.events.tables import EVENTS
from lifestage.users.activity.config import ActivityConfig
from lifestage.users.activity.days import build_activity_days, build_category_days, enrich_events
from support.frames import assert_frames, build, shuffled
from users.features import oracle
from users.features.builders import SHIPPED, config_of, features_of, identities

ZONE = "America/New_York"
FIRST, LAST = date(2025, 1, 1), date(2026, 6, 30)
DATES = (date(2025, 11, 2), date(2026, 3, 31), LAST)
MIN_CHANNEL_GAPS = 40
HISTORY = oracle.random_events(20261121, FIRST, LAST)
CONFIG = config_of(min_channel_gaps=MIN_CHANNEL_GAPS)
ACTIVITY = ActivityConfig(
    catalogue=SHIPPED,
    actions=("purchase", "return", "page_view", "feature_use", "register"),
    time_zone=ZONE,
    lookups={},
    category="category",
    is_new_product="false",
)


def event(number, row):
    day = row["moment"].date()
    return {
        "event_id": f"e{number}",
        "event_type": row["type"],
        "event_at": row["moment"].replace(tzinfo=ZoneInfo(ZONE)),
        "event_date": day,
        "event_month": day.replace(day=1),
        "attributes": {"feature": row["feature"]} if row["feature"] else None,
        **{name: row[name] for name in ("subject", "amount", "quantity", "category", "channel")},
    }


def events_of(spark, history):
    return build(spark, EVENTS, [event(number, row) for number, row in enumerate(history)])


def features_from(events, identity_map):
    enriched = enrich_events(events, {}, ACTIVITY)
    days, categories = build_activity_days(enriched, ACTIVITY), build_category_days(enriched)
    columns = ("user_id", "as_of", *oracle.FEATURES)
    return features_of(days, categories, identity_map, DATES, CONFIG).select(*columns)


@pytest.fixture(scope="module")
def identity_map(spark_session):
    return identities(spark_session, {row["subject"]: row["user"] for row in HISTORY})


@pytest.fixture(scope="module")
def features(spark_session, identity_map):
    # Compared twice; a checkpoint outlives the cache that is cleared between tests.
    return features_from(events_of(spark_session, HISTORY), identity_map).localCheckpoint()


def test_features_equal_a_recomputation_in_plain_python(spark, features):
    rows = [row for as_of in DATES for row in oracle.features(HISTORY, as_of, MIN_CHANNEL_GAPS)]
    schema = ", ".join(f"{name} {kind}" for name, kind in oracle.FEATURES.items())
    assert_frames(features, spark.createDataFrame(rows, f"user_id string, as_of date, {schema}"))


def test_the_history_reaches_every_case():
    """An oracle proves little on a history in which nothing happens."""
    rows = oracle.features(HISTORY, LAST, MIN_CHANNEL_GAPS)
    values = {name: {row[number] for row in rows} for number, name in enumerate(oracle.FEATURES, start=2)}
    assert values["cycle_source"] == {"own", "channel", "all"}
    assert values.pop("is_below_median_spend") == {True, False}
    assert min(len(found) for found in values.values()) > 1


def test_order_and_partitions_of_the_events_do_not_matter(spark, features, identity_map):
    history = Random(7).sample(HISTORY, len(HISTORY))
    assert_frames(features_from(shuffled(events_of(spark, history)), shuffled(identity_map, 3)), features)

"""What is assumed of a user is what the same event, really delivered, would make of them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifestage.activity.days import build_activity_days, build_category_days, to_enriched
from lifestage.config import load_config
from lifestage.features.build import build_features, build_norms, build_state
from lifestage.features.categories import to_user_categories, unit_prices
from lifestage.hypotheses import SILENT, History, Purchase, held_on, hypothetical_features
from lifestage.identity.step import map_identities
from lifestage.tables.events import EVENTS
from lifestage.tables.features import user_features
from support.frames import assert_frames, build
from support.projects import MAIN

# Each example rebuilds everybody's features three times.
pytestmark = pytest.mark.slow

D = date(2026, 6, 30)
SILENT_DAYS = 40


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    file = tmp_path_factory.mktemp("hypotheses") / "main.yaml"
    file.write_text(MAIN)
    return load_config(file)


def purchase(subject, day, amount, hour=10, **columns):
    """An event as ingest would have written it."""
    at = datetime(day.year, day.month, day.day, hour + 5, tzinfo=UTC)
    return {
        "event_id": f"{subject} {day} {hour}", "subject": subject, "event_type": "purchase", "event_at": at,
        "event_date": day, "event_month": day.replace(day=1), "amount": amount, "channel": "store", **columns,
    }  # fmt: skip


def days_of(spark, events, config):
    enriched = to_enriched(build(spark, EVENTS, events), {}, config.activity)
    return build_activity_days(enriched, config.activity), build_category_days(enriched)


def norms_of(activity, categories, config):
    """What is usual in the population as of D."""
    identity = map_identities(activity)
    baskets = to_user_categories(categories, identity, [D])
    state = build_state(activity, identity, baskets, unit_prices(baskets), [D], config.features.catalogue)
    return build_norms(state, baskets, config.features.rhythm)


def delivered(spark, events, on, norms, config):
    """Features of everybody on a later date from real events, with the norms of D."""
    activity, categories = days_of(spark, events, config)
    identity = map_identities(activity)
    held = held_on(norms, [on])
    baskets = to_user_categories(categories, identity, [on])
    prices = held.where("norm = 'unit_price'")
    state = build_state(activity, identity, baskets, prices, [on], config.features.catalogue)
    return build_features(state, held, config.features, user_features(config.features.catalogue))


amounts = st.integers(1, 9999).map(lambda cents: Decimal(cents) / 100)
visits = st.lists(st.tuples(st.integers(0, 300), amounts), min_size=1, max_size=8)


@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(people=st.lists(visits, min_size=3, max_size=6), n=st.integers(1, 30), amount=amounts)
def test_a_hypothesis_is_what_its_event_would_be(spark, config, people, n, amount):
    """Every feature, so every stage, score and segment that follows from them."""
    events = [
        purchase(f"p{number}", D - timedelta(days=ago), value, hour=3 + k, category=f"c{k % 2}", quantity=1)
        for number, person in enumerate(people)
        for k, (ago, value) in enumerate(person)
    ]
    activity, categories = days_of(spark, events, config)
    norms = norms_of(activity, categories, config).persist()
    identity = map_identities(activity).where("identifier = 'p0'")
    history = History(activity.where("subject = 'p0'"), categories.where("subject = 'p0'"), identity)
    table = user_features(config.features.catalogue)
    assumed = hypothetical_features(
        history, Purchase("p0", amount, "store"), D, SILENT_DAYS, norms, {}, config, table
    ).persist()
    on = D + timedelta(days=n)
    user_id = identity.first()["user_id"]
    for events_then, number in (([*events, purchase("p0", on, amount)], n), (events, SILENT)):
        real = delivered(spark, events_then, on, norms, config).where(f"user_id = '{user_id}'")
        ours = assumed.where(f"user_id = '{number}' AND as_of = DATE'{on}'")
        assert_frames(ours.drop("user_id"), real.drop("user_id"))


def test_silence_is_followed_for_as_long_as_asked_and_each_purchase_on_its_day(spark, config):
    activity, categories = days_of(spark, [purchase("p0", D, Decimal(5))], config)
    history = History(activity, categories, map_identities(activity))
    norms = norms_of(activity, categories, config)
    table = user_features(config.features.catalogue)
    rows = hypothetical_features(
        history, Purchase("p0", Decimal(5), None), D, SILENT_DAYS, norms, {}, config, table
    ).select("user_id", "as_of", "occasions_all").collect()  # fmt: skip
    silent = {row["as_of"]: row["occasions_all"] for row in rows if row["user_id"] == "0"}
    bought = {
        int(row["user_id"]): (row["as_of"], row["occasions_all"]) for row in rows if row["user_id"] != "0"
    }
    assert silent == {D + timedelta(days=n): 1 for n in range(1, SILENT_DAYS + 1)}
    assert bought == {n: (D + timedelta(days=n), 2) for n in range(1, 31)}


def test_without_a_purchase_there_is_silence_alone(spark, config):
    activity, categories = days_of(spark, [purchase("p0", D, Decimal(5))], config)
    history = History(activity, categories, map_identities(activity))
    norms = norms_of(activity, categories, config)
    table = user_features(config.features.catalogue)
    rows = hypothetical_features(history, None, D, 3, norms, {}, config, table)
    assert {row["user_id"] for row in rows.select("user_id").collect()} == {"0"}
    assert rows.count() == 3

"""What is assumed of a user is what the same event, really delivered, would make of them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.stages.ladder import assign_stages
from lifestage.ingestion.events.tables import EVENTS
from lifestage.platform.hypotheses import PURCHASE_DAYS, SILENCE, Hypotheses, repeat_on_dates
from lifestage.platform.runtime.frames import collect_to_driver, local_rows
from lifestage.platform.user_rows import UserFrames
from lifestage.project.loader import load_config
from lifestage.services.what_if import assume, first_change
from lifestage.users.activity import explain as activity
from lifestage.users.activity.config import ActivityConfig
from lifestage.users.activity.days import build_activity_days, build_category_days, enrich_events
from lifestage.users.features import explain as features
from lifestage.users.features.build import build_features, build_state
from lifestage.users.features.config import FeaturesConfig
from lifestage.users.features.tables import NORMS, user_features
from lifestage.users.identity.tables import IDENTITY_MAP
from lifestage.users.resolution import resolve_current_users
from support.frames import assert_frames, build
from support.projects import MAIN

# Each example builds every feature twice, on 40 dates.
pytestmark = pytest.mark.slow

D = date(2026, 6, 30)
SILENT_DAYS = 40
NUMBERS = range(PURCHASE_DAYS + 1)
# The hour of day at which a hypothesis buys, so that shares of mornings and evenings agree.
NOON = 12


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    file = tmp_path_factory.mktemp("hypotheses") / "main.yaml"
    file.write_text(MAIN)
    return load_config(file)


def event(subject, day, amount, hour=10, kind="purchase", **columns):
    """An event as ingest would have written it."""
    at = datetime(day.year, day.month, day.day, hour + 4, tzinfo=UTC)
    return {
        "event_id": f"{subject} {day} {hour}", "subject": subject, "event_type": kind, "event_at": at,
        "event_date": day, "event_month": day.replace(day=1), "amount": amount, "channel": "store", **columns,
    }  # fmt: skip


def user_of(spark, events, norms, config):
    """The rows of the person that the subjects of some events are; each subject is a user of the same name."""
    enriched = enrich_events(build(spark, EVENTS, events), {}, config.of(ActivityConfig))
    users = sorted({each["subject"] for each in events})
    identity = [{"identifier": user, "user_id": user, "status": "active"} for user in users]
    tables = {
        "activity_days": collect_to_driver(build_activity_days(enriched, config.of(ActivityConfig))),
        "category_days": collect_to_driver(build_category_days(enriched)),
        "user_profiles": local_rows(spark, [], "user_id string, as_of date"),
        "norms": norms,
    }
    return UserFrames("p0", D, build(spark, IDENTITY_MAP, identity), tables, tables.__getitem__)


def norms_of(spark, cycle, spend):
    """What is usual in some population as of D."""
    rows = [
        {"norm": "cycle_days", "value": cycle, "n": 100},
        {"norm": "cycle_days", "group": "store", "value": cycle + 3, "n": 100},
        {"norm": "net_amount_365d", "value": spend, "n": 10},
        {"norm": "unit_price", "group": "c0", "value": 4_000_000, "n": 10},
    ]
    return build(spark, NORMS, [{"as_of": D, **row} for row in rows])


def delivered(spark, events, norms, dates, config):
    """Features of everybody on the dates from real events, with the norms of D."""
    rows = user_of(spark, events, norms, config)
    users, norms_then = resolve_current_users(rows.identifiers), repeat_on_dates(norms, dates)
    catalogue = config.of(FeaturesConfig).catalogue
    days, baskets = rows.tables["activity_days"], rows.tables["category_days"]
    state = build_state(days, baskets, users, dates, catalogue)
    return build_features(state, norms_then, config.of(FeaturesConfig), user_features(catalogue))


def assumed(rows, amount, config, silent_days=SILENT_DAYS):
    domains = [(activity.EXPLAIN, config.of(ActivityConfig)), (features.EXPLAIN, config.of(FeaturesConfig))]
    return assume(domains, Hypotheses(rows, silent_days, amount)).tables["user_features"]


def stages_of(rows, config):
    return [row.asDict() for row in assign_stages(rows, config.of(StageLadder)).collect()]


amounts = st.integers(1, 9999).map(lambda cents: Decimal(cents) / 100)
kinds = st.sampled_from(["purchase", "purchase", "purchase", "return", "register", "page_view"])
visits = st.lists(st.tuples(st.integers(0, 170), amounts, kinds), min_size=1, max_size=9)
rhythms = st.tuples(st.integers(1, 30), st.integers(0, 60), st.integers(1, 12), amounts).map(
    lambda drawn: [(drawn[1] + drawn[0] * k, drawn[3], "purchase") for k in range(drawn[2])]
)


# A failure is told at once: to look for a smaller one would take minutes.
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    person=visits | rhythms, amount=amounts, cycle=st.integers(5, 60), spend=st.integers(100, 50_000)
)  # fmt: skip
def test_hypothetical_features_equal_those_after_the_real_event(spark, config, person, amount, cycle, spend):
    """Every feature on its day under every hypothesis, so the stage, and the first one that changes it."""
    past = [
        (day, amount_of(kind, value), kind, {"hour": k % 12, "category": f"c{k % 2}", "quantity": 1})
        for k, (ago, value, kind) in enumerate(person)
        for day in [D - timedelta(days=ago)]
    ]
    norms = norms_of(spark, cycle, spend)
    events = [event("p0", day, value, kind=kind, **more) for day, value, kind, more in past]
    ours = assumed(user_of(spark, events, norms, config), amount, config)

    # As many users, each with the same past; all but the silent one buy on the day of their number.
    real_events = [
        event(str(n), day, value, kind=kind, **more) for n in NUMBERS for day, value, kind, more in past
    ]
    # The channel is that of the last purchase.
    channel = "store" if any(kind == "purchase" for _, _, kind, _ in past) else None
    real_events += [
        event(str(n), D + timedelta(days=n), amount, NOON, channel=channel) for n in NUMBERS if n != SILENCE
    ]
    dates = [D + timedelta(days=n) for n in range(SILENT_DAYS + 1)]
    everybody = collect_to_driver(delivered(spark, real_events, norms, dates, config))
    day_of = f"datediff(as_of, DATE'{D}')"
    real = collect_to_driver(everybody.where(f"{day_of} > 0 AND user_id IN ('{SILENCE}', {day_of})"))
    now = stages_of(everybody.where(f"user_id = '{SILENCE}' AND as_of = DATE'{D}'"), config)[0]["stage"]

    assert ours.count() == SILENT_DAYS + PURCHASE_DAYS
    assert_frames(ours, real)
    for is_silent in (True, False):
        named, came_true = (
            first_change(stages_of(rows, config), "stage", now, is_silent) for rows in (ours, real)
        )
        assert named == came_true


def amount_of(kind, value):
    return {"purchase": value, "return": -value}.get(kind)


def test_silence_covers_all_requested_days_and_each_purchase_its_own_day(spark, config):
    user = user_of(spark, [event("p0", D, Decimal(5))], norms_of(spark, 30, 1000), config)
    rows = assumed(user, Decimal(5), config, silent_days=3).collect()
    silent = {row["as_of"]: row["occasions_all"] for row in rows if row["user_id"] == "0"}
    bought = {
        int(row["user_id"]): (row["as_of"], row["occasions_all"]) for row in rows if row["user_id"] != "0"
    }
    assert silent == {D + timedelta(days=n): 1 for n in range(1, 4)}
    assert bought == {n: (D + timedelta(days=n), 2) for n in range(1, 31)}


def test_without_a_purchase_only_silence_is_assumed(spark, config):
    user = user_of(spark, [event("p0", D, Decimal(5))], norms_of(spark, 30, 1000), config)
    rows = assumed(user, None, config, silent_days=3).collect()
    assert [(row["user_id"], row["as_of"]) for row in rows] == [
        ("0", D + timedelta(days=n)) for n in range(1, 4)
    ]


ROWS = [
    {"user_id": "0", "as_of": D + timedelta(days=2), "stage": "dormant"},
    {"user_id": "0", "as_of": D + timedelta(days=1), "stage": "growth"},
    {"user_id": "0", "as_of": D + timedelta(days=3), "stage": "churned"},
    {"user_id": "1", "as_of": D + timedelta(days=1), "stage": "growth"},
    {"user_id": "2", "as_of": D + timedelta(days=2), "stage": "growth"},
]


def test_the_first_day_with_another_result_is_named():
    assert first_change(ROWS, "stage", "growth", is_silent=True) == {
        "on": D + timedelta(days=2),
        "to": "dormant",
    }
    assert first_change(ROWS, "stage", "growth", is_silent=False) is None
    assert first_change(ROWS, "stage", None, is_silent=False) == {
        "on": D + timedelta(days=1),
        "to": "growth",
    }

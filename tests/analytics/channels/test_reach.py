"""How much of the business is of people whom it knows."""

from datetime import timedelta

from lifestage.analytics.channels.reach import measure_reach, resolve_users
from lifestage.analytics.channels.tables import CHANNEL_REACH
from lifestage.ingestion.events.tables import EVENTS
from lifestage.platform.storage.contracts import conform
from lifestage.users.identity.tables import IDENTITY_MAP, IDENTITY_PAST
from support.frames import assert_rows, build, shuffled
from support.reporting import AS_OF, BEFORE

KNOWN, ACTIONS = ("member",), ("page_view", "purchase", "return")
LONG_AGO = AS_OF - timedelta(days=28)


def event(subject, kind="page_view", amount=None, day=AS_OF, **columns):
    return {
        "subject": subject, "event_type": kind, "amount": amount, "event_date": day,
        "event_month": day.replace(day=1), **columns,
    }  # fmt: skip


def mapped(spark, *rows):
    found = [{"identifier": i, "user_id": user, "type": kind, "withheld": []} for i, user, kind in rows]
    return build(spark, IDENTITY_MAP, found)


def measured(spark, events, *joined):
    users = resolve_users(mapped(spark, *joined), build(spark, IDENTITY_PAST, []), AS_OF)
    frame = build(spark, EVENTS, [{"event_id": str(n), **each} for n, each in enumerate(events)])
    return conform(measure_reach(shuffled(frame), users, KNOWN, ACTIONS, AS_OF), CHANNEL_REACH)


def test_revenue_and_visits_of_known_people_alone_and_with_joined_identifiers(spark):
    events = [
        event("c", session_id="s1"), event("c", session_id="s1", identifiers={"cookie": "c"}),
        event("c", "purchase", "30.00", order_id="o1", identifiers={"cookie": "c"}),
        event("m", "purchase", "60.00", order_id="o2", identifiers={"member": "m"}),
        event("m", "return", "-10.00", order_id="o3", identifiers={"member": "m"}),
        event(None, "purchase", "20.00", order_id="o4"),
        event("stranger", session_id="s2", identifiers={"cookie": "stranger"}),
        event("c", "message_sent"), event("c", "purchase", "99.00", day=LONG_AGO),
        # Two anonymous events are two visits, and a session of another source is another one.
        event(None), event(None), event("stranger", session_id="s2", source="app", identifiers={"cookie": "stranger"}),
    ]  # fmt: skip
    found = measured(spark, events, ("c", "u", "cookie"), ("m", "u", "member"))
    assert_rows(found, [(AS_OF, 28, 9, 2, 4, "100.00", "50.00", "80.00")])


def test_without_events_there_is_no_row(spark):
    assert_rows(measured(spark, [], ("m", "u", "member")), [])


def test_users_of_a_past_date_are_those_of_that_date(spark):
    now = mapped(spark, ("c", "u", "cookie"), ("m", "u", "member"))
    past = build(
        spark, IDENTITY_PAST,
        [{"as_of": BEFORE, "identifier": "c", "user_id": "alone"}, {"as_of": BEFORE, "identifier": "gone", "user_id": "g"}],
    )  # fmt: skip
    assert_rows(resolve_users(now, past, AS_OF), [("c", "cookie", "u"), ("m", "member", "u")])
    assert_rows(
        resolve_users(now, past, BEFORE),
        [("c", "cookie", "alone"), ("m", "member", "u"), ("gone", None, "g")],
    )

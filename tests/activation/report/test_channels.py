"""Who acts where, what joining the channels has changed, and how it is told."""

from datetime import timedelta
from decimal import Decimal

from activation.report.builders import AS_OF, BEFORE, WORDS, empty, full
from activation.report.test_data import USER_FEATURES
from lifestage.activation.report.channel_data import channel_counts, reach
from lifestage.activation.report.channels import channels_section
from lifestage.activation.report.content import ChannelCount, Reach
from lifestage.analytics.stages.tables import USER_STAGES
from lifestage.analytics.value.tables import USER_VALUE
from lifestage.ingestion.events.tables import EVENTS
from lifestage.users.identity.tables import IDENTITY_MAP
from support.frames import build, shuffled

KNOWN, ACTIONS = ("member",), ("page_view", "purchase", "return")
LONG_AGO = AS_OF - timedelta(days=28)


def event(subject, kind="page_view", amount=None, day=AS_OF, **columns):
    return {
        "subject": subject, "event_type": kind, "amount": amount, "event_date": day,
        "event_month": day.replace(day=1), **columns,
    }  # fmt: skip


def reached(spark, events, joined=()):
    rows = [
        {"identifier": identifier, "user_id": user, "type": kind, "withheld": []}
        for identifier, user, kind in (*joined, ("other", "x", "cookie"))
    ]
    frame = build(spark, EVENTS, [{"event_id": str(n), **each} for n, each in enumerate(events)])
    return reach(shuffled(frame), build(spark, IDENTITY_MAP, rows), KNOWN, ACTIONS, AS_OF)


def test_revenue_and_visits_of_who_is_known_alone_and_with_channels_joined(spark):
    events = [
        event("c", session_id="s1"), event("c", session_id="s1", identifiers={"cookie": "c"}),
        event("c", "purchase", "30.00", order_id="o1", identifiers={"cookie": "c"}),
        event("m", "purchase", "60.00", order_id="o2", identifiers={"member": "m"}),
        event("m", "return", "-10.00", order_id="o3", identifiers={"member": "m"}),
        event(None, "purchase", "20.00", order_id="o4"),
        event("stranger", session_id="s2", identifiers={"cookie": "stranger"}),
        event("c", "message_sent"), event("c", "purchase", "99.00", day=LONG_AGO),
        # Nobody and nobody are not one; a session of another source is another.
        event(None), event(None), event("stranger", session_id="s2", source="app", identifiers={"cookie": "stranger"}),
    ]  # fmt: skip
    joined = [("c", "u", "cookie"), ("m", "u", "member")]
    assert reached(spark, events, joined) == Reach(28, 9, 2, 4, Decimal(100), Decimal(50), Decimal(80))


def test_where_nobody_is_joined_or_nothing_happened_nothing_is_told(spark):
    nobody = build(spark, IDENTITY_MAP, [])
    assert reach(build(spark, EVENTS, []), nobody, KNOWN, ACTIONS, AS_OF) is None
    assert reached(spark, []) is None


def test_users_are_counted_by_mix_and_stage(spark):
    people = [("a", "both", "mature", "9.00"), ("b", "both", "mature", None), ("c", None, "dormant", "1.00")]
    later = AS_OF + timedelta(days=1)
    features = [{"user_id": u, "as_of": AS_OF, "channel_mix_90d": mix} for u, mix, _, _ in people]
    stages = [{"user_id": u, "as_of": AS_OF, "stage": stage} for u, _, stage, _ in people]
    value = [{"user_id": u, "as_of": AS_OF, "monetary_amount": net} for u, _, _, net in people]
    frames = (
        build(spark, USER_FEATURES, [*features, {**features[0], "as_of": later}]),
        build(spark, USER_STAGES, [*stages, {**stages[0], "as_of": later}]),
        build(spark, USER_VALUE, value),
    )
    assert channel_counts(*frames, AS_OF) == (
        ChannelCount("both", "mature", 2, Decimal(9)),
        ChannelCount(None, "dormant", 1, Decimal(1)),
    )


MIXED = (
    ChannelCount("both", "mature", 6, Decimal(90)),
    ChannelCount("shop only", "mature", 2, Decimal(10)),
    ChannelCount(None, "novice", 2, Decimal(0)),
)


def test_each_mix_has_its_users_and_its_stages():
    section = channels_section(full(channels=MIXED), WORDS)
    mixes, stages = section.figures
    assert [[cell.text for cell in row] for row in mixes.rows] == [
        ["shop only", "2", "20.0%", "€10", "10.0%", "€5.00"],
        ["both", "6", "60.0%", "€90", "90.0%", "€15.00"],
        ["neither", "2", "20.0%", "€0", "0.0%", "€0.00"],
    ]
    assert [[cell.text for cell in row] for row in stages.rows] == [
        ["novice", "0", "0", "2"],
        ["mature", "2", "6", "0"],
    ]


def test_a_mix_of_the_project_has_its_row():
    kiosk = (*MIXED, ChannelCount("kiosk", "mature", 5, Decimal(1)))
    section = channels_section(full(channels=kiosk), WORDS)
    assert [row[0].text for row in section.figures[0].rows] == ["shop only", "both", "kiosk", "neither"]


def test_a_mix_of_few_is_withheld_with_another():
    section = channels_section(full(channels=MIXED, least_users=3), WORDS)
    shown = {row[0].text: row[1].text for row in section.figures[0].rows}
    assert shown["shop only"] == shown["neither"] == "–"


def test_what_joining_has_changed_is_a_sentence():
    told = Reach(28, 6, 2, 4, Decimal(100), Decimal(50), Decimal(80))
    (sentence,) = channels_section(empty(reach=told), WORDS).notes
    assert "80.0% of revenue and 66.7% of visits" in sentence
    assert "50.0% and 33.3%" in sentence


def test_merged_and_split_users_are_told_unless_they_are_few():
    data = empty(before=BEFORE, least_users=2, regrouped={"merged": (3, 2), "split": (1, 2)})
    (sentence,) = channels_section(data, WORDS).notes
    assert sentence == f"3 users of {WORDS.day(BEFORE)} are now known to be 2 people."


def test_without_anybody_a_sentence_says_so():
    assert channels_section(empty(), WORDS).notes == ("No user has a stage yet.",)

from datetime import timedelta
from decimal import Decimal

from lifestage.analytics.segments.profiles import build_profiles, build_totals
from lifestage.analytics.segments.tables import SEGMENT_PROFILES, SEGMENT_TOTALS, USER_SEGMENTS
from lifestage.platform.storage.contracts import conform
from support.frames import assert_rows, build, shuffled
from support.reporting import AS_OF

BEFORE = AS_OF - timedelta(days=1)
FEATURES = "user_id string, as_of date, spend decimal(18,2), share double, is_new boolean"


def member(user_id, number=None, name=None, as_of=AS_OF):
    status = "modelled" if number else "not_eligible"
    return {
        "user_id": user_id, "as_of": as_of, "status": status, "model_id": number and "m", "segment_id": number, "segment": name,
    }  # fmt: skip


MEMBERS = [
    member("u1", 1, "big"),
    member("u2", 1, "big"),
    member("u3", 2, "small"),
    member("u4"),
    member("u1", 2, "small", BEFORE),
]


def test_users_are_counted_by_segment_and_by_status_without_one(spark):
    totals = build_totals(shuffled(build(spark, USER_SEGMENTS, MEMBERS)))
    assert_rows(
        conform(totals, SEGMENT_TOTALS),
        [
            (AS_OF, "modelled", "m", 1, "big", 2),
            (AS_OF, "modelled", "m", 2, "small", 1),
            (AS_OF, "not_eligible", None, None, None, 1),
            (BEFORE, "modelled", "m", 2, "small", 1),
        ],
    )


def test_profiles_add_up_the_values_that_are_known(spark):
    users = [
        ("u1", AS_OF, Decimal("1.50"), 0.1, True),
        ("u2", AS_OF, Decimal("2.50"), None, False),
        ("u4", AS_OF, Decimal("9.00"), 0.9, True),
        ("u1", BEFORE, Decimal(9), 0.9, None),
    ]
    features = shuffled(spark.createDataFrame(users, FEATURES))
    names = ("spend", "share", "is_new")
    found = build_profiles(build(spark, USER_SEGMENTS, MEMBERS), features, names, SEGMENT_PROFILES)
    assert_rows(
        conform(found, SEGMENT_PROFILES),
        [
            (AS_OF, 1, "spend", 2, "4.00"),
            (AS_OF, 1, "share", 1, "0.1"),
            (AS_OF, 1, "is_new", 2, "1"),
            *[(AS_OF, 2, name, 0, "0") for name in names],
            (BEFORE, 2, "spend", 1, "9.00"),
            (BEFORE, 2, "share", 1, "0.9"),
            (BEFORE, 2, "is_new", 0, "0"),
        ],
    )


def test_without_features_there_are_no_profiles(spark):
    features = spark.createDataFrame([], FEATURES)
    found = build_profiles(build(spark, USER_SEGMENTS, MEMBERS), features, (), SEGMENT_PROFILES)
    assert_rows(conform(found, SEGMENT_PROFILES), [])

"""Totals of value: by cell and tier, and how spend is concentrated."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifestage.analytics.value.tables import SPEND_SHARES, USER_VALUE, VALUE_TOTALS
from lifestage.analytics.value.totals import build_spend_shares, build_totals
from lifestage.platform.storage.contracts import conform
from support.frames import assert_rows, build, shuffled
from support.reporting import AS_OF

LATER = AS_OF + timedelta(days=1)


def user(user_id, amount=None, tier=None, index=None, as_of=AS_OF, r=None, f=None):
    return {
        "user_id": user_id, "as_of": as_of, "rfm_status": "scored" if amount else "not_scored", "rfm_period_days": 365,
        "monetary_amount": amount, "frequency": amount and 1, "tier": tier, "value_index": index, "r_score": r, "f_score": f,
    }  # fmt: skip


def buyers(spark, amounts, *others):
    rows = [user(f"u{n}", str(amount)) for n, amount in enumerate(amounts)]
    return shuffled(build(spark, USER_VALUE, [*rows, *others]))


def shares(frame):
    rows = conform(build_spend_shares(frame), SPEND_SHARES).where(f"as_of = '{AS_OF}'").orderBy("percent")
    return [(row["percent"], row["n_users"], row["monetary_amount"]) for row in rows.collect()]


def test_users_are_counted_by_cell_and_tier_with_the_least_index(spark):
    rows = [
        user("a", "10.50", "high", "0.9", r=5, f=1),
        user("b", "0.25", "high", "0.7", r=5, f=1),
        user("c", "1.00", "low", "0.1", r=5, f=1),
        user("d"),
        user("e", "9.00", "low", "0.1", as_of=LATER, r=5, f=1),
    ]
    totals = conform(build_totals(shuffled(build(spark, USER_VALUE, rows))), VALUE_TOTALS)
    found = totals.select(
        "as_of", "rfm_status", "r_score", "f_score", "tier", "n_users", "monetary_amount", "least_index"
    )
    assert_rows(
        found,
        [
            (AS_OF, "scored", 5, 1, "high", 2, "10.75", "0.7"),
            (AS_OF, "scored", 5, 1, "low", 1, "1.00", "0.1"),
            (AS_OF, "not_scored", None, None, None, 1, "0.00", None),
            (LATER, "scored", 5, 1, "low", 1, "9.00", "0.1"),
        ],
    )  # fmt: skip


def test_the_best_buyers_share_ties_exactly(spark):
    """Of 40 buyers four spend 100 and the others 10: the best two are two of the four."""
    amounts = [100 if n < 4 else 10 for n in range(40)]
    found = shares(buyers(spark, amounts, user("silent"), user("u1", "999", as_of=LATER)))
    assert [percent for percent, _, _ in found] == list(range(1, 101))
    assert [found[percent - 1] for percent in (1, 5, 10, 20, 50, 100)] == [
        (1, 1, Decimal(100)),
        (5, 2, Decimal(200)),
        (10, 4, Decimal(400)),
        (20, 8, Decimal(440)),
        (50, 20, Decimal(560)),
        (100, 40, Decimal(760)),
    ]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cents=st.lists(st.integers(-50, 200), min_size=1, max_size=30))
def test_shares_are_those_of_the_sorted_list(spark, cents):
    amounts = sorted((Decimal(cent) / 100 for cent in cents), reverse=True)
    found = shares(buyers(spark, amounts))
    assert len(found) == 100
    for percent, n, amount in found:
        best = amounts[: -(-len(amounts) * percent // 100)]
        assert (n, amount) == (len(best), sum(best))


def test_without_users_there_are_no_totals(spark):
    nobody = build(spark, USER_VALUE, [])
    assert_rows(build_totals(nobody), [])
    assert shares(build(spark, USER_VALUE, [user("silent")])) == []

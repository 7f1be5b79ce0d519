"""Data of the value section with fixed defaults."""

from dataclasses import replace
from decimal import Decimal

from lifestage.analytics.value.section_data import IndexPart, RfmCount, TierCount, TopShare, ValueData
from lifestage.users.identity.movement import Move
from support.reporting import AS_OF

NAMES = {"[1-4][1-5]": "loyal", "5[1-5]": "champions"}


def empty_value(**changes):
    return replace(ValueData(AS_OF), **changes)


def full_value(**changes):
    data = ValueData(
        as_of=AS_OF,
        names=NAMES,
        rfm=(rfm(5, 5, 3, "90.00"), rfm(1, 2, 1, "10.00"), unscored(6)),
        tiers=(
            TierCount("high", 1, Decimal(80), Decimal("0.75")),
            TierCount("low", 3, Decimal(20), Decimal(0)),
        ),
        moves=(Move("low", "low", 2), Move("low", "high", 1)),
        top_shares=(TopShare(10, 1, Decimal(80)), TopShare(100, 4, Decimal(100))),
        parts=(IndexPart("economic", "spend", 1.0, 0.0, 90.0),),
    )
    return replace(data, **changes)


def rfm(r=5, f=5, n_users=1, amount="10.00"):
    return RfmCount("scored", 365, r, f, n_users, Decimal(amount))


def unscored(n_users, status="not_scored", period_days=365):
    return RfmCount(status, period_days, None, None, n_users, Decimal())

"""Data of the segments section with fixed defaults."""

from dataclasses import replace
from decimal import Decimal

from lifestage.analytics.segments.section import Feature, Known, SegmentCount, SegmentData
from lifestage.users.identity.movement import Move
from support.reporting import AS_OF

SPEND = Feature("net_amount_365d", "Purchases minus returns", "money")


def empty_segments(**changes):
    return replace(SegmentData(AS_OF), **changes)


def full_segments(**changes):
    data = SegmentData(
        as_of=AS_OF,
        features=(SPEND,),
        counts=(segment(1, "big spenders", 2, "180.00"), segment(2, "others", 2, "20.00")),
        moves=(Move("1", "1", 1), Move("2", "1", 1), Move("2", "2", 2)),
    )
    return replace(data, **changes)


def segment(number=1, name="big spenders", n_users=1, total="10.00", feature=SPEND.name):
    known = {feature: Known(n_users, Decimal(total))}
    return SegmentCount("modelled", "2026-09-30-ab", number, name, n_users, known)


def outside(n_users, status="not_modelled"):
    return SegmentCount(status, None, None, None, n_users)

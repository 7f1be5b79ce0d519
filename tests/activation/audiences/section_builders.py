"""Data of the audiences section with fixed defaults."""

from dataclasses import replace
from decimal import Decimal

from lifestage.activation.audiences.section import AudienceCount, AudienceData
from support.reporting import AS_OF, BEFORE


def empty_audiences(**changes):
    return replace(AudienceData(AS_OF), **changes)


def full_audiences(**changes):
    data = AudienceData(
        as_of=AS_OF,
        before=BEFORE,
        period=365,
        counts=(
            AudienceCount("win_back", "Long gone", "CRM", "An offer", 2, 1, 1, Decimal(30)),
            AudienceCount("sleeping", "Silent"),
        ),
        rules={"win_back": "stage = 'churned'", "sleeping": "stage = 'dormant'"},
    )
    return replace(data, **changes)

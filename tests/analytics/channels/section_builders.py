"""Data of the channels section with fixed defaults."""

from dataclasses import replace
from decimal import Decimal

from lifestage.analytics.channels.section import ChannelCount, ChannelData
from support.reporting import AS_OF, BEFORE

MIXED = (
    ChannelCount("both", "mature", 6, Decimal(90)),
    ChannelCount("shop only", "mature", 2, Decimal(10)),
    ChannelCount(None, "novice", 2, Decimal(0)),
)


def empty_channels(**changes):
    return replace(ChannelData(AS_OF, BEFORE, ("novice", "mature"), 365), **changes)

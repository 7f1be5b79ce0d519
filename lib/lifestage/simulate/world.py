"""The parameters of a world: size, seed, calendar, and planted cases."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np

BEGINS_ON = date(2026, 1, 1)
ZONE = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime.min.time()
# Bound on the events of a person per day: nobody visits more than once a day.
MOST_A_DAY = 1.5


class Case(StrEnum):
    """Situations that growth teams report. Each is planted in the world, and can be left out."""

    CHEAP_CHANNEL = "cheap_channel"
    LOST_AT_CATEGORY = "lost_at_category"
    LEFT_AT_SEATS = "left_at_seats"
    CAR_SEAT_FOLLOWS = "car_seat_follows"
    FRIENDS_VISIT = "friends_visit"
    MISJUDGED_CYCLE = "misjudged_cycle"
    RATING_FALLS = "rating_falls"
    MESSY_ADDRESSES = "messy_addresses"
    LATE_NIGHT_COOKS = "late_night_cooks"
    PRICE_TYPES = "price_types"
    COUPON_WORKS = "coupon_works"


MEANINGS = {
    Case.CHEAP_CHANNEL: "a customer won by partners costs a third of one won by search",
    Case.LOST_AT_CATEGORY: "70 % of first visits online end at the category page, 30 % otherwise",
    Case.LEFT_AT_SEATS: "40 % of ticket orders are left at the choice of seats, 5 % otherwise",
    Case.CAR_SEAT_FOLLOWS: "60 % of those who buy a stroller buy a car seat within three months",
    Case.FRIENDS_VISIT: "friends of those who share visit three times as often",
    Case.MISJUDGED_CYCLE: "some high spenders buy the large pack and stay away until it is used up",
    Case.RATING_FALLS: "the rating of one dish falls for two weeks",
    Case.MESSY_ADDRESSES: "orders to messy addresses arrive in less than 60 % of cases",
    Case.LATE_NIGHT_COOKS: "a crowd buys ingredients late at night",
    Case.PRICE_TYPES: "some buy where there is something off, some the dearer ranges",
    Case.COUPON_WORKS: "a coupon makes the next seven days' purchases a third more likely",
}


@dataclass(frozen=True)
class World:
    """The parameters of one world. Equal parameters give equal files, byte for byte."""

    n_people: int
    n_days: int
    seed: int
    events_per_person: float
    """Mean number of clicks, visits and receipt lines per person over all days."""
    without: frozenset[Case] = frozenset()

    def has(self, case: Case) -> bool:
        """Return whether a case is planted."""
        return case not in self.without

    def rng(self, purpose: str, day: int = 0) -> np.random.Generator:
        """Return the random generator of one purpose and day, independent of all others."""
        return np.random.default_rng([self.seed, crc32(purpose.encode()), day + 2**20])


def make_world(
    n_people: int, seed: int, n_days: int = 180, events_per_person: float = 60.0, without: Iterable[str] = ()
) -> World:
    """Build the parameters of a world.

    Args:
        n_people: Number of people, at least 100.
        seed: Seed of all random numbers, at least 0.
        n_days: Number of days from 2026-01-01 on.
        events_per_person: Mean number of clicks, visits and receipt lines per person over all days.
        without: Names of planted cases to leave out.

    Raises:
        ValueError: if a size is out of range or a case is unknown.

    Example: make_world(20_000, seed=7, without=["price_types"])
    """
    unknown = sorted(set(without) - set(Case))
    if unknown:
        raise ValueError(f"unknown case {', '.join(unknown)}, expected some of {', '.join(Case)}")
    if n_people < 100 or n_days < 1 or seed < 0 or not 0 < events_per_person <= MOST_A_DAY * n_days:
        raise ValueError(
            "a world needs at least 100 people, at least 1 day, a seed of at least 0, and more than 0 and at most "
            f"{MOST_A_DAY:g} events a person and day"
        )
    return World(n_people, n_days, seed, events_per_person, frozenset(map(Case, without)))


def date_of(day: int) -> date:
    """Return the calendar date of a day of the world; day 0 is the first."""
    return BEGINS_ON + timedelta(days=day)


def midnight(day: int) -> int:
    """Return the start of a day in the business time zone, in seconds since 1970 UTC."""
    return int(datetime.combine(date_of(day), MIDNIGHT, ZONE).timestamp())

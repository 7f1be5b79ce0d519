"""Who lives in the world: habits, life and belongings of each person, drawn once before the first day."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from lifestage.simulate.products import CATEGORIES
from lifestage.simulate.world import Case, World

Flags = npt.NDArray[np.bool_]
Days = npt.NDArray[np.int32]
Codes = npt.NDArray[np.int8]
NEVER = np.int32(1_000_000)
KNOWN_SHARE = 0.55
LONGEST_KNOWN = 365
FAMILY = 5
N_REGIONS = 12
# Mean clicks and receipt lines that a visit leaves, by place: what a world's size is reckoned with.
ROWS_A_VISIT = np.array([5.26, 5.63, 1.36])


class Place(IntEnum):
    """Where a visit takes place."""

    WEB = 0
    APP = 1
    STORE = 2


class Kind(IntEnum):
    """How somebody chooses what to buy."""

    NEUTRAL = 0
    PRICE = 1
    QUALITY = 2


class Origin(IntEnum):
    """What brought somebody here."""

    SEARCH = 0
    SOCIAL = 1
    PARTNER = 2
    ORGANIC = 3


ORIGIN_SHARES = [0.3, 0.2, 0.15, 0.35]
KIND_SHARES = [0.55, 0.25, 0.2]
# Online only, shop only, both: their shares of people and of visits to web, app and store.
MIX_SHARES = [0.4, 0.25, 0.35]
MIXES = np.array([[0.75, 0.25, 0.0], [0.0, 0.0, 1.0], [0.4, 0.2, 0.4]], np.float32)
WITH_APP_SHARE = 0.5


@dataclass(frozen=True)
class People:
    """One value a person in each array; days count from the first of the world and may lie before it."""

    joins: Days
    leaves: Days
    returns: Days
    rate: npt.NDArray[np.float32]
    """Visits a day while somebody is a customer."""
    places: npt.NDArray[np.float32]
    """Share of visits to web, app and store."""
    kind: Codes
    hours: Codes
    """Daytime, evening or night."""
    category: Codes
    region: Codes
    origin: Codes
    registers: Days
    """When somebody gets a member number."""
    gets_card: Days
    friend_of: Days
    """The person who shares with this one; -1 without one."""
    in_family: Flags
    """Five of a family give one telephone number."""
    misjudges: Flags
    is_messy: Flags

    def __len__(self) -> int:
        return len(self.joins)

    def is_customer(self, day: int) -> Flags:
        """Who has come and has not gone."""
        gone = (self.leaves <= day) & (day < self.returns)
        found: Flags = (self.joins <= day) & ~gone
        return found

    def family(self) -> Days:
        """A number that those of one family share, and others have for themselves."""
        own = np.arange(len(self), dtype=np.int32)
        return np.where(self.in_family, own - own % FAMILY, own).astype(np.int32)


def people_of(world: World) -> People:
    """Everybody who ever comes, in no order that says anything."""
    rng, n = world.rng("people"), world.n_people
    joins = _joins(world, rng)
    leaves, returns = _departures(world, rng, joins)
    mix = rng.choice(len(MIX_SHARES), n, p=MIX_SHARES)
    places = MIXES[mix].copy()
    without_app = (rng.random(n) >= WITH_APP_SHARE) & (mix != 1)
    places[without_app, Place.WEB] += places[without_app, Place.APP]
    places[without_app, Place.APP] = 0
    hours = rng.choice(3, n, p=[0.55, 0.4, 0.05])
    category = rng.integers(0, len(CATEGORIES) - 3, n)
    cooks = (rng.random(n) < 0.03) & world.has(Case.LATE_NIGHT_COOKS) & (mix != 1)
    hours[cooks], category[cooks] = 2, CATEGORIES.index("ingredients")
    sharer = rng.integers(0, n, n)
    is_friend = rng.random(n) < 0.08
    kinds = rng.choice(3, n, p=KIND_SHARES)
    people = People(
        joins=joins,
        leaves=leaves,
        returns=returns,
        rate=np.ones(n, np.float32),
        places=places,
        kind=(kinds if world.has(Case.PRICE_TYPES) else np.zeros(n)).astype(np.int8),
        hours=hours.astype(np.int8),
        category=category.astype(np.int8),
        region=rng.integers(0, N_REGIONS, n).astype(np.int8),
        origin=rng.choice(4, n, p=ORIGIN_SHARES).astype(np.int8),
        registers=_later(rng, joins, mix != 1, share=0.7, mean=6.0),
        gets_card=_later(rng, joins, mix != 0, share=0.65, mean=12.0),
        friend_of=np.where(is_friend & (sharer != np.arange(n)), sharer, -1).astype(np.int32),
        in_family=_families(rng, n),
        misjudges=(rng.random(n) < 0.02) & world.has(Case.MISJUDGED_CYCLE),
        is_messy=rng.random(n) < 0.06,
    )
    people.rate[:] = _rates(world, rng, people)
    return people


def _joins(world: World, rng: np.random.Generator) -> Days:
    """Half are customers of the year before; the others come on any day, a few more each month."""
    n = world.n_people
    known = rng.random(n) < KNOWN_SHARE
    before = -1 - rng.integers(0, LONGEST_KNOWN, n)
    during = np.floor(world.n_days * rng.random(n) ** 0.85)
    return np.where(known, before, during).astype(np.int32)


def _departures(world: World, rng: np.random.Generator, joins: Days) -> tuple[Days, Days]:
    """When somebody goes for good or for a while, and comes back; a third never goes."""
    n = world.n_people
    lasts = 20 + rng.exponential(260, n)
    goes = rng.random(n) >= 1 / 3
    leaves = np.where(goes, np.maximum(joins, 0) + lasts, NEVER).astype(np.int32)
    comes_back = goes & (rng.random(n) < 0.25)
    away = 60 + rng.exponential(60, n)
    return leaves, np.where(comes_back, leaves + away, NEVER).astype(np.int32)


def _later(rng: np.random.Generator, joins: Days, may: Flags, share: float, mean: float) -> Days:
    """Some do something a while after they came; who may not, never."""
    n = len(joins)
    does = may & (rng.random(n) < share)
    after = np.floor(rng.exponential(mean, n))
    return np.where(does, joins + after, NEVER).astype(np.int32)


def _families(rng: np.random.Generator, n: int) -> Flags:
    """Whole blocks of five: 1 % of all people."""
    blocks = rng.random(-(-n // FAMILY)) < 0.01
    flags = np.repeat(blocks, FAMILY)[:n]
    flags[n - n % FAMILY :] = False
    return flags


def _rates(world: World, rng: np.random.Generator, people: People) -> npt.NDArray[np.float32]:
    """Few come often and many seldom, such that the world has the size that was asked for."""
    n = world.n_people
    rate = rng.pareto(1.8, n) + 0.35
    if world.has(Case.FRIENDS_VISIT):
        rate[people.friend_of >= 0] *= 3
    days = _customer_days(world, people)
    rows = (people.places * ROWS_A_VISIT).sum(axis=1)
    wanted = n * world.events_per_person
    # Nobody comes more often than nearly daily; what that cuts off the others make up for.
    for _ in range(8):
        rate = np.minimum(rate * wanted / max((rate * days * rows).sum(), 1e-9), 0.95)
    return rate.astype(np.float32)


def _customer_days(world: World, people: People) -> Days:
    """Days of the world on which somebody is a customer."""
    end = world.n_days
    here = np.clip(end - np.maximum(people.joins, 0), 0, end)
    away = np.clip(np.minimum(people.returns, end) - np.clip(people.leaves, 0, end), 0, end)
    found: Days = (here - away).astype(np.int32)
    return found

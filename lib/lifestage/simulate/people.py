"""The people of a world: the life and habits of each person, drawn once before the first day."""

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
# Mean number of clicks or receipt lines per visit, by place. The visit rates are scaled with it.
ROWS_A_VISIT = np.array([5.26, 5.63, 1.36])


class Place(IntEnum):
    """Place of a visit."""

    WEB = 0
    APP = 1
    STORE = 2


class BuyerType(IntEnum):
    """How a person chooses products: without preference, by low price, or by quality."""

    NEUTRAL = 0
    PRICE = 1
    QUALITY = 2


class Origin(IntEnum):
    """The channel that brought a person to the shop."""

    SEARCH = 0
    SOCIAL = 1
    PARTNER = 2
    ORGANIC = 3


ORIGIN_SHARES = [0.3, 0.2, 0.15, 0.35]
BUYER_TYPE_SHARES = [0.55, 0.25, 0.2]
# Online only, store only, both: share of people, and their shares of visits to web, app and store.
MIX_SHARES = [0.4, 0.25, 0.35]
MIXES = np.array([[0.75, 0.25, 0.0], [0.0, 0.0, 1.0], [0.4, 0.2, 0.4]], np.float32)
WITH_APP_SHARE = 0.5


@dataclass(frozen=True)
class People:
    """One value per person in each array. Days count from the first day of the world and may be negative."""

    joins: Days
    leaves: Days
    returns: Days
    rate: npt.NDArray[np.float32]
    """Visits per day while the person is a customer."""
    places: npt.NDArray[np.float32]
    """Shares of visits to web, app and store."""
    buyer_type: Codes
    hours: Codes
    """Daytime, evening or night."""
    category: Codes
    region: Codes
    origin: Codes
    registers: Days
    """Day on which the person becomes a member."""
    gets_card: Days
    friend_of: Days
    """The person who shares links with this one; -1 if there is none."""
    in_family: Flags
    """The five members of a family share one telephone number."""
    misjudges: Flags
    is_messy: Flags

    def __len__(self) -> int:
        return len(self.joins)

    def is_customer(self, day: int) -> Flags:
        """Return who has joined and has not left, or has returned."""
        gone = (self.leaves <= day) & (day < self.returns)
        found: Flags = (self.joins <= day) & ~gone
        return found

    def family(self) -> Days:
        """Return a number that is common to a family and unique for anyone else."""
        own = np.arange(len(self), dtype=np.int32)
        return np.where(self.in_family, own - own % FAMILY, own).astype(np.int32)


def draw_people(world: World) -> People:
    """Draw all people who ever join, in random order."""
    rng, n = world.rng("people"), world.n_people
    joins = _draw_joins(world, rng)
    leaves, returns = _draw_departures(world, rng, joins)
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
    buyer_types = rng.choice(3, n, p=BUYER_TYPE_SHARES)
    people = People(
        joins=joins,
        leaves=leaves,
        returns=returns,
        rate=np.ones(n, np.float32),
        places=places,
        buyer_type=(buyer_types if world.has(Case.PRICE_TYPES) else np.zeros(n)).astype(np.int8),
        hours=hours.astype(np.int8),
        category=category.astype(np.int8),
        region=rng.integers(0, N_REGIONS, n).astype(np.int8),
        origin=rng.choice(4, n, p=ORIGIN_SHARES).astype(np.int8),
        registers=_draw_later_day(rng, joins, mix != 1, share=0.7, mean=6.0),
        gets_card=_draw_later_day(rng, joins, mix != 0, share=0.65, mean=12.0),
        friend_of=np.where(is_friend & (sharer != np.arange(n)), sharer, -1).astype(np.int32),
        in_family=_draw_families(rng, n),
        misjudges=(rng.random(n) < 0.02) & world.has(Case.MISJUDGED_CYCLE),
        is_messy=rng.random(n) < 0.06,
    )
    people.rate[:] = _draw_rates(world, rng, people)
    return people


def _draw_joins(world: World, rng: np.random.Generator) -> Days:
    """Draw the day of joining: 55 % in the year before the first day, the others later, slightly more each month."""
    n = world.n_people
    known = rng.random(n) < KNOWN_SHARE
    before = -1 - rng.integers(0, LONGEST_KNOWN, n)
    during = np.floor(world.n_days * rng.random(n) ** 0.85)
    return np.where(known, before, during).astype(np.int32)


def _draw_departures(world: World, rng: np.random.Generator, joins: Days) -> tuple[Days, Days]:
    """Draw the days of leaving and returning. A third never leave; a quarter of the others return."""
    n = world.n_people
    lasts = 20 + rng.exponential(260, n)
    goes = rng.random(n) >= 1 / 3
    leaves = np.where(goes, np.maximum(joins, 0) + lasts, NEVER).astype(np.int32)
    comes_back = goes & (rng.random(n) < 0.25)
    away = 60 + rng.exponential(60, n)
    return leaves, np.where(comes_back, leaves + away, NEVER).astype(np.int32)


def _draw_later_day(rng: np.random.Generator, joins: Days, may: Flags, share: float, mean: float) -> Days:
    """Draw a day after joining for a share of those who may, NEVER for all others; the mean delay is in days."""
    n = len(joins)
    does = may & (rng.random(n) < share)
    after = np.floor(rng.exponential(mean, n))
    return np.where(does, joins + after, NEVER).astype(np.int32)


def _draw_families(rng: np.random.Generator, n: int) -> Flags:
    """Draw 1 % of all people as families, blocks of five."""
    blocks = rng.random(-(-n // FAMILY)) < 0.01
    flags = np.repeat(blocks, FAMILY)[:n]
    flags[n - n % FAMILY :] = False
    return flags


def _draw_rates(world: World, rng: np.random.Generator, people: People) -> npt.NDArray[np.float32]:
    """Draw visit rates: few people visit often, many seldom. The rates are scaled to the requested number of events."""
    n = world.n_people
    rate = rng.pareto(1.8, n) + 0.35
    if world.has(Case.FRIENDS_VISIT):
        rate[people.friend_of >= 0] *= 3
    days = _count_customer_days(world, people)
    rows = (people.places * ROWS_A_VISIT).sum(axis=1)
    wanted = n * world.events_per_person
    # Rates are capped below one visit a day. Each round spreads over the others what the cap cuts off.
    for _ in range(8):
        rate = np.minimum(rate * wanted / max((rate * days * rows).sum(), 1e-9), 0.95)
    return rate.astype(np.float32)


def _count_customer_days(world: World, people: People) -> Days:
    """Count the days of the world on which each person is a customer."""
    end = world.n_days
    here = np.clip(end - np.maximum(people.joins, 0), 0, end)
    away = np.clip(np.minimum(people.returns, end) - np.clip(people.leaves, 0, end), 0, end)
    found: Days = (here - away).astype(np.int32)
    return found

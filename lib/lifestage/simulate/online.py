"""Visits to the web shop and the app: from the first page to the order, or to where they end."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lifestage.simulate.baskets import CAR_SEATS, TICKETS, fill, lift, wants
from lifestage.simulate.people import Codes, Days, Flags, Place
from lifestage.simulate.products import choose
from lifestage.simulate.state import Lines, State
from lifestage.simulate.text import mixed
from lifestage.simulate.visits import Visits
from lifestage.simulate.world import Case

TYPES = ("page_view", "product_view", "search", "add_to_cart", "checkout_step", "purchase", "login", "app_open", "feature_use", "share", "register")  # fmt: skip
PAGES = ("home", "category", "address", "seats", "payment")
FEATURES = ("wish_list", "scanner", "recipes", "store_map")
NONE = np.int64(np.iinfo(np.int64).min)
LOGS_IN = 0.55
# Of those who see the category page: who goes no further, on the first visit and on others.
ENDS_AT_CATEGORY = {True: (0.7, 0.25), False: (0.3, 0.25)}
LEAVES_AT_SEATS = {True: 0.4, False: 0.05}
TO_CART, TO_CHECKOUT, TO_ORDER = 0.4, 0.6, 0.85
# The rank of the order among the clicks of a visit, and the most seconds that one lasts.
ORDERED, LONGEST = 11, 1_700


@dataclass(frozen=True)
class Clicks:
    """One value a click, in the order of visits and, within one, of time."""

    visit: Days
    second: npt.NDArray[np.int32]
    type: Codes
    page: Codes
    product: npt.NDArray[np.int32]
    order: npt.NDArray[np.uint64]
    line: npt.NDArray[np.int32]
    cents: npt.NDArray[np.int64]
    discount: npt.NDArray[np.int64]
    feature: Codes

    def __len__(self) -> int:
        return len(self.visit)


@dataclass(frozen=True)
class Browsed:
    """What a day of one place left."""

    visits: Visits
    clicks: Clicks
    bought: Lines
    is_logged_in: Flags
    """For each visit."""


@dataclass(frozen=True)
class _Paths:
    """How far each visit goes."""

    wanted: Codes
    sees_category: Flags
    looks: Flags
    fills: Flags
    checks_out: Flags
    sees_seats: Flags
    pays: Flags
    orders: Flags


def browse(state: State, visits: Visits, place: Place, day: int) -> Browsed:
    """The clicks of all visits of a day to one place."""
    world, who = state.world, visits.person
    rng = world.rng(f"online-{place}", day)
    paths = _paths(state, rng, visits, day)
    is_member = state.people.registers[who] <= day
    logs_in = paths.orders | (rng.random(len(visits)) < (1 if place is Place.APP else LOGS_IN))
    order_no = mixed(world.seed, 4, int(place), who, day)
    orders = np.flatnonzero(paths.orders)
    bought = fill(state, rng, (who[orders], order_no[orders], paths.wanted[orders]), day)
    clicks = _Blocks()
    if place is Place.APP:
        clicks.add(0, "app_open", np.arange(len(visits)))
        uses = np.flatnonzero(rng.random(len(visits)) < 0.35)
        clicks.add(1, "feature_use", uses, feature=rng.integers(0, len(FEATURES), len(uses)))
    else:
        clicks.add(0, "page_view", np.arange(len(visits)), page="home")
    clicks.add(2, "register", np.flatnonzero(is_member & ~state.has_registered[who]))
    state.has_registered[who[is_member]] = True
    clicks.add(3, "login", np.flatnonzero(is_member & logs_in))
    _look_around(rng, clicks, paths)
    # A new order begins with each first line.
    _check_out(clicks, paths, bought, orders[np.cumsum(bought.line == 1) - 1])
    shares = np.isin(who, state.people.friend_of) & (rng.random(len(visits)) < 0.15)
    clicks.add(12, "share", np.flatnonzero(shares))
    return Browsed(visits, clicks.in_order(rng, visits), bought, is_member & logs_in)


def _paths(state: State, rng: np.random.Generator, visits: Visits, day: int) -> _Paths:
    world, n, who = state.world, len(visits), visits.person
    wanted = wants(state, rng, who, day)
    # Who needs a car seat gets one.
    is_sure = wanted == CAR_SEATS
    sees_category = is_sure | (rng.random(n) < 0.9)
    ends = np.where(visits.is_first, *ENDS_AT_CATEGORY[world.has(Case.LOST_AT_CATEGORY)])
    looks = sees_category & (is_sure | (rng.random(n) >= ends))
    fills = looks & (is_sure | (rng.random(n) < TO_CART * lift(state, who, day)))
    checks_out = fills & (is_sure | (rng.random(n) < TO_CHECKOUT))
    sees_seats = checks_out & (wanted == TICKETS)
    leaves = sees_seats & (rng.random(n) < LEAVES_AT_SEATS[world.has(Case.LEFT_AT_SEATS)])
    pays = checks_out & ~leaves
    orders = pays & (is_sure | (rng.random(n) < TO_ORDER))
    return _Paths(wanted, sees_category, looks, fills, checks_out, sees_seats, pays, orders)


def _look_around(rng: np.random.Generator, clicks: "_Blocks", paths: _Paths) -> None:
    """Searches, categories and products; and what is put into a cart and left there."""
    clicks.add(4, "search", np.flatnonzero(rng.random(len(paths.wanted)) < 0.12))
    clicks.add(5, "page_view", np.flatnonzero(paths.sees_category), page="category")
    looks = np.flatnonzero(paths.looks)
    for rank, kind, visit in (
        (6, "product_view", np.repeat(looks, 1 + rng.poisson(1.6, len(looks)))),
        (7, "add_to_cart", np.flatnonzero(paths.fills & ~paths.orders)),
    ):
        usual = np.ones(len(visit), np.int8)
        clicks.add(rank, kind, visit, product=choose(rng, paths.wanted[visit], usual))


def _check_out(clicks: "_Blocks", paths: _Paths, bought: Lines, visit: npt.NDArray[np.integer]) -> None:
    """From the cart to the order; `visit` is that of each line bought."""
    clicks.add(7, "add_to_cart", visit, product=bought.product)
    clicks.add(8, "checkout_step", np.flatnonzero(paths.checks_out), page="address")
    clicks.add(9, "checkout_step", np.flatnonzero(paths.sees_seats), page="seats")
    clicks.add(10, "checkout_step", np.flatnonzero(paths.pays), page="payment")
    clicks.add(ORDERED, "purchase", visit, product=bought.product, lines=bought)


class _Blocks:
    """Clicks of one kind after the other, to be put in order at the end."""

    def __init__(self) -> None:
        self.parts: list[tuple[npt.NDArray[Any], ...]] = []

    def add(
        self,
        rank: int,
        kind: str,
        visit: npt.NDArray[np.integer],
        page: str | None = None,
        product: npt.NDArray[np.integer] | None = None,
        feature: npt.NDArray[np.integer] | None = None,
        lines: Lines | None = None,
    ) -> None:
        """Clicks of one kind, one for each visit given; within a visit they come in the order of `rank`."""
        n = len(visit)
        none = np.full(n, -1)
        self.parts.append(
            (
                visit.astype(np.int32),
                np.full(n, rank, np.int8),
                np.full(n, TYPES.index(kind), np.int8),
                np.full(n, PAGES.index(page) if page else -1, np.int8),
                (none if product is None else product).astype(np.int32),
                np.zeros(n, np.uint64) if lines is None else lines.order,
                np.zeros(n, np.int32) if lines is None else lines.line,
                np.full(n, NONE) if lines is None else lines.cents,
                np.full(n, NONE) if lines is None else lines.discount,
                (none if feature is None else feature).astype(np.int8),
            )
        )

    def in_order(self, rng: np.random.Generator, visits: Visits) -> Clicks:
        """All clicks by visit and time; each takes a while, but the lines of one order have one time."""
        visit, rank, *others = (np.concatenate(columns) for columns in zip(*self.parts, strict=True))
        ordered = np.lexsort((rank, visit))
        visit, rank = visit[ordered], rank[ordered]
        kind, page, product, order, line, cents, discount, feature = (each[ordered] for each in others)
        passed = np.cumsum(np.where((rank == ORDERED) & (line > 1), 0, rng.integers(4, 75, len(visit))))
        begins = np.searchsorted(visit, visit)
        second = visits.second[visit] + np.minimum(passed - passed[begins], LONGEST)
        return Clicks(visit, second, kind, page, product, order, line, cents, discount, feature)

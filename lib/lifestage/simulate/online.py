"""Visits to the web shop and the app, from the first page to the order or to the page where they end."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lifestage.simulate.baskets import CAR_SEATS, TICKETS, coupon_lift, fill_baskets, pick_categories
from lifestage.simulate.people import Codes, Days, Flags, Place
from lifestage.simulate.products import pick_products
from lifestage.simulate.state import BasketLines, State
from lifestage.simulate.text import hash_parts
from lifestage.simulate.visits import Visits
from lifestage.simulate.world import Case

TYPES = ("page_view", "product_view", "search", "add_to_cart", "checkout_step", "purchase", "login", "app_open", "feature_use", "share", "register")  # fmt: skip
PAGES = ("home", "category", "address", "seats", "payment")
FEATURES = ("wish_list", "scanner", "recipes", "store_map")
NONE = np.int64(np.iinfo(np.int64).min)
LOGS_IN = 0.55
# Share of visits that end at the category page: first visit, other visits; by whether the case is planted.
ENDS_AT_CATEGORY = {True: (0.7, 0.25), False: (0.3, 0.25)}
LEAVES_AT_SEATS = {True: 0.4, False: 0.05}
TO_CART, TO_CHECKOUT, TO_ORDER = 0.4, 0.6, 0.85
# Rank of the purchase among the clicks of a visit, and the longest visit in seconds.
ORDERED, LONGEST = 11, 1_700


@dataclass(frozen=True)
class Clicks:
    """One value per click in each array, in order of visit and time."""

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
class OnlineVisits:
    """The visits to one online place on one day, with their clicks and orders."""

    visits: Visits
    clicks: Clicks
    bought: BasketLines
    is_logged_in: Flags
    """One value per visit."""


@dataclass(frozen=True)
class _Funnel:
    """How far each visit gets, one value per visit in each array."""

    wanted: Codes
    sees_category: Flags
    looks: Flags
    fills: Flags
    checks_out: Flags
    sees_seats: Flags
    pays: Flags
    orders: Flags


def browse(state: State, visits: Visits, place: Place, day: int) -> OnlineVisits:
    """Simulate all visits to one online place on one day."""
    world, who = state.world, visits.person
    rng = world.rng(f"online-{place}", day)
    funnel = _draw_funnel(state, rng, visits, day)
    is_member = state.people.registers[who] <= day
    logs_in = funnel.orders | (rng.random(len(visits)) < (1 if place is Place.APP else LOGS_IN))
    order_no = hash_parts(world.seed, 4, int(place), who, day)
    orders = np.flatnonzero(funnel.orders)
    bought = fill_baskets(state, rng, (who[orders], order_no[orders], funnel.wanted[orders]), day)
    clicks = _ClickBuffer()
    if place is Place.APP:
        clicks.add(0, "app_open", np.arange(len(visits)))
        uses = np.flatnonzero(rng.random(len(visits)) < 0.35)
        clicks.add(1, "feature_use", uses, feature=rng.integers(0, len(FEATURES), len(uses)))
    else:
        clicks.add(0, "page_view", np.arange(len(visits)), page="home")
    clicks.add(2, "register", np.flatnonzero(is_member & ~state.has_registered[who]))
    state.has_registered[who[is_member]] = True
    clicks.add(3, "login", np.flatnonzero(is_member & logs_in))
    _add_browsing(rng, clicks, funnel)
    # Each first line begins the next order: find the visit of each line.
    _add_checkout(clicks, funnel, bought, orders[np.cumsum(bought.line == 1) - 1])
    shares = np.isin(who, state.people.friend_of) & (rng.random(len(visits)) < 0.15)
    clicks.add(12, "share", np.flatnonzero(shares))
    return OnlineVisits(visits, clicks.to_clicks(rng, visits), bought, is_member & logs_in)


def _draw_funnel(state: State, rng: np.random.Generator, visits: Visits, day: int) -> _Funnel:
    world, n, who = state.world, len(visits), visits.person
    wanted = pick_categories(state, rng, who, day)
    # A visit for a car seat always ends with an order.
    is_sure = wanted == CAR_SEATS
    sees_category = is_sure | (rng.random(n) < 0.9)
    ends = np.where(visits.is_first, *ENDS_AT_CATEGORY[world.has(Case.LOST_AT_CATEGORY)])
    looks = sees_category & (is_sure | (rng.random(n) >= ends))
    fills = looks & (is_sure | (rng.random(n) < TO_CART * coupon_lift(state, who, day)))
    checks_out = fills & (is_sure | (rng.random(n) < TO_CHECKOUT))
    sees_seats = checks_out & (wanted == TICKETS)
    leaves = sees_seats & (rng.random(n) < LEAVES_AT_SEATS[world.has(Case.LEFT_AT_SEATS)])
    pays = checks_out & ~leaves
    orders = pays & (is_sure | (rng.random(n) < TO_ORDER))
    return _Funnel(wanted, sees_category, looks, fills, checks_out, sees_seats, pays, orders)


def _add_browsing(rng: np.random.Generator, clicks: "_ClickBuffer", funnel: _Funnel) -> None:
    """Add searches, category and product pages, and carts that are not ordered."""
    clicks.add(4, "search", np.flatnonzero(rng.random(len(funnel.wanted)) < 0.12))
    clicks.add(5, "page_view", np.flatnonzero(funnel.sees_category), page="category")
    looks = np.flatnonzero(funnel.looks)
    for rank, kind, visit in (
        (6, "product_view", np.repeat(looks, 1 + rng.poisson(1.6, len(looks)))),
        (7, "add_to_cart", np.flatnonzero(funnel.fills & ~funnel.orders)),
    ):
        usual = np.ones(len(visit), np.int8)
        clicks.add(rank, kind, visit, product=pick_products(rng, funnel.wanted[visit], usual))


def _add_checkout(
    clicks: "_ClickBuffer", funnel: _Funnel, bought: BasketLines, visit: npt.NDArray[np.integer]
) -> None:
    """Add the clicks from the cart to the order; `visit` is the visit of each line bought."""
    clicks.add(7, "add_to_cart", visit, product=bought.product)
    clicks.add(8, "checkout_step", np.flatnonzero(funnel.checks_out), page="address")
    clicks.add(9, "checkout_step", np.flatnonzero(funnel.sees_seats), page="seats")
    clicks.add(10, "checkout_step", np.flatnonzero(funnel.pays), page="payment")
    clicks.add(ORDERED, "purchase", visit, product=bought.product, lines=bought)


class _ClickBuffer:
    """Collects clicks type by type, and sorts them at the end."""

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
        lines: BasketLines | None = None,
    ) -> None:
        """Add one click of a type to each given visit; `rank` orders the clicks within a visit."""
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

    def to_clicks(self, rng: np.random.Generator, visits: Visits) -> Clicks:
        """Return all clicks by visit and time, a few seconds apart; the lines of one order have the same time."""
        visit, rank, *others = (np.concatenate(columns) for columns in zip(*self.parts, strict=True))
        ordered = np.lexsort((rank, visit))
        visit, rank = visit[ordered], rank[ordered]
        kind, page, product, order, line, cents, discount, feature = (each[ordered] for each in others)
        passed = np.cumsum(np.where((rank == ORDERED) & (line > 1), 0, rng.integers(4, 75, len(visit))))
        begins = np.searchsorted(visit, visit)
        second = visits.second[visit] + np.minimum(passed - passed[begins], LONGEST)
        return Clicks(visit, second, kind, page, product, order, line, cents, discount, feature)

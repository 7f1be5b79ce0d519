"""The contents of baskets: products, prices and discounts, and the consequences of a purchase."""

import numpy as np
import numpy.typing as npt

from lifestage.simulate.people import NEVER, Codes, Days, Flags
from lifestage.simulate.products import A_CATEGORY, CATEGORIES, DISH, LARGE_PACK, pick_products
from lifestage.simulate.state import BasketLines, State
from lifestage.simulate.world import Case

TICKETS, STROLLERS, CAR_SEATS = (CATEGORIES.index(name) for name in ("tickets", "strollers", "car_seats"))
DISHES = DISH // A_CATEGORY
SPECIAL = (STROLLERS, CAR_SEATS)
STROLLER_SHARE = 0.004
TICKET_SHARE = 0.05
FOLLOWS_SHARE, ELSE_SHARE = 0.6, 0.03
RETURN_SHARE = 0.04
COUPON_LIFT = 4 / 3


def pick_categories(state: State, rng: np.random.Generator, person: Days, day: int) -> Codes:
    """Pick the category that each visitor comes for, in most cases their favourite."""
    people = state.people
    n = len(person)
    any_category = rng.integers(0, len(CATEGORIES) - 3, n)
    found = np.where(rng.random(n) < 0.65, people.category[person], any_category)
    drawn = rng.random(n)
    found = np.where(drawn < TICKET_SHARE, TICKETS, found)
    found = np.where((drawn >= TICKET_SHARE) & (drawn < TICKET_SHARE + STROLLER_SHARE), STROLLERS, found)
    return np.where(state.needs_car_seat_on[person] <= day, CAR_SEATS, found).astype(np.int8)


def coupon_lift(state: State, person: Days, day: int) -> npt.NDArray[np.float64]:
    """Return the factor by which a valid coupon raises the chance of a purchase; 1 without one."""
    return np.where(state.coupon_until[person] >= day, COUPON_LIFT, 1.0)


def fill_baskets(
    state: State, rng: np.random.Generator, buyer: tuple[Days, npt.NDArray[np.uint64], Codes], day: int
) -> BasketLines:
    """Fill one basket per buyer, and schedule what follows from the purchases.

    The first line is of the category that the buyer came for, the others of that or of their favourite category.

    Args:
        state: The world; purchases change it.
        rng: Random generator.
        buyer: Person, order number and wanted category, one value per basket.
        day: Day of the purchase.
    """
    people, products = state.people, state.products
    person, order, wanted = buyer
    extra = np.where(np.isin(wanted, (TICKETS, *SPECIAL)), 0, rng.geometric(0.45, len(person)) - 1)
    n_lines = 1 + np.minimum(extra, 9)
    basket = np.repeat(np.arange(len(person)), n_lines)
    line = np.arange(len(basket)) - np.repeat(np.cumsum(n_lines) - n_lines, n_lines)
    who = person[basket]
    own = np.where(rng.random(len(basket)) < 0.5, people.category[who], wanted[basket])
    category = np.where(line == 0, wanted[basket], own).astype(np.int8)
    kind = people.buyer_type[who]
    product = pick_products(rng, category, _pick_ranges(rng, kind))
    product = np.where((category == DISHES) & (rng.random(len(basket)) < 0.5), DISH, product)
    takes_pack = people.misjudges[who] & (line == 0) & ~np.isin(category, SPECIAL)
    product = np.where(takes_pack, LARGE_PACK, product)
    full = products.cents[product]
    discount = _draw_discounts(rng, kind, full)
    _schedule_follow_ups(state, rng, who, product, takes_pack, day)
    return BasketLines(who, order[basket], (line + 1).astype(np.int32), product, full - discount, discount)


def pick_returns(rng: np.random.Generator, lines: BasketLines) -> BasketLines:
    """Pick the lines that are returned, with negative amounts and no discount."""
    back = lines.filter(rng.random(len(lines)) < RETURN_SHARE)
    nothing = np.zeros(len(back), np.int64)
    return BasketLines(back.person, back.order, back.line, back.product, -back.cents, nothing)


def _pick_ranges(rng: np.random.Generator, kind: Codes) -> Codes:
    """Pick the price range (0 cheap, 1 usual, 2 expensive) by buyer type."""
    drawn = rng.random(len(kind))
    cheap = np.array([0.35, 0.55, 0.05])[kind]
    dear = np.array([0.15, 0.05, 0.75])[kind]
    return np.where(drawn < cheap, 0, np.where(drawn >= 1 - dear, 2, 1)).astype(np.int8)


def _draw_discounts(
    rng: np.random.Generator, kind: Codes, full: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    share = np.array([0.12, 0.85, 0.03])[kind]
    is_off = rng.random(len(kind)) < share
    return np.where(is_off, full * rng.integers(20, 45, len(kind)) // 100, 0).astype(np.int64)


def _schedule_follow_ups(
    state: State, rng: np.random.Generator, who: Days, product: Days, takes_pack: Flags, day: int
) -> None:
    """Schedule what purchases lead to: a car seat after a stroller, a pause after a large pack."""
    world, products = state.world, state.products
    category = products.category[product]
    state.needs_car_seat_on[who[category == CAR_SEATS]] = NEVER
    parents = who[category == STROLLERS]
    share = FOLLOWS_SHARE if world.has(Case.CAR_SEAT_FOLLOWS) else ELSE_SHARE
    follows = rng.random(len(parents)) < share
    state.needs_car_seat_on[parents[follows]] = day + rng.integers(5, 60, int(follows.sum()))
    stocked = who[takes_pack]
    state.pauses_until[stocked] = day + rng.integers(75, 130, len(stocked))

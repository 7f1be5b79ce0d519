"""What is bought: products, prices and discounts, and what follows from a purchase."""

import numpy as np
import numpy.typing as npt

from lifestage.simulate.people import NEVER, Codes, Days, Flags
from lifestage.simulate.products import A_CATEGORY, CATEGORIES, DISH, LARGE_PACK, choose
from lifestage.simulate.state import Lines, State
from lifestage.simulate.world import Case

TICKETS, STROLLERS, CAR_SEATS = (CATEGORIES.index(name) for name in ("tickets", "strollers", "car_seats"))
DISHES = DISH // A_CATEGORY
OF_REASON = (STROLLERS, CAR_SEATS)
STROLLER_SHARE = 0.004
TICKET_SHARE = 0.05
FOLLOWS_SHARE, ELSE_SHARE = 0.6, 0.03
RETURN_SHARE = 0.04
COUPON_LIFT = 4 / 3


def wants(state: State, rng: np.random.Generator, person: Days, day: int) -> Codes:
    """The category that each visitor came for: mostly their own."""
    people = state.people
    n = len(person)
    any_category = rng.integers(0, len(CATEGORIES) - 3, n)
    found = np.where(rng.random(n) < 0.65, people.category[person], any_category)
    drawn = rng.random(n)
    found = np.where(drawn < TICKET_SHARE, TICKETS, found)
    found = np.where((drawn >= TICKET_SHARE) & (drawn < TICKET_SHARE + STROLLER_SHARE), STROLLERS, found)
    return np.where(state.needs_car_seat_on[person] <= day, CAR_SEATS, found).astype(np.int8)


def lift(state: State, person: Days, day: int) -> npt.NDArray[np.float64]:
    """How much more likely a purchase is because of a coupon."""
    return np.where(state.coupon_until[person] >= day, COUPON_LIFT, 1.0)


def fill(
    state: State, rng: np.random.Generator, buyer: tuple[Days, npt.NDArray[np.uint64], Codes], day: int
) -> Lines:
    """The lines of one basket a buyer: the first of what they came for, more of the same or of their own category.

    `buyer` has the person, the order and the category wanted, one value a basket.
    """
    people, products = state.people, state.products
    person, order, wanted = buyer
    extra = np.where(np.isin(wanted, (TICKETS, *OF_REASON)), 0, rng.geometric(0.45, len(person)) - 1)
    n_lines = 1 + np.minimum(extra, 9)
    basket = np.repeat(np.arange(len(person)), n_lines)
    line = np.arange(len(basket)) - np.repeat(np.cumsum(n_lines) - n_lines, n_lines)
    who = person[basket]
    own = np.where(rng.random(len(basket)) < 0.5, people.category[who], wanted[basket])
    category = np.where(line == 0, wanted[basket], own).astype(np.int8)
    kind = people.kind[who]
    product = choose(rng, category, _ranges(rng, kind))
    product = np.where((category == DISHES) & (rng.random(len(basket)) < 0.5), DISH, product)
    takes_pack = people.misjudges[who] & (line == 0) & ~np.isin(category, OF_REASON)
    product = np.where(takes_pack, LARGE_PACK, product)
    full = products.cents[product]
    discount = _discounts(rng, kind, full)
    _remember(state, rng, who, product, takes_pack, day)
    return Lines(who, order[basket], (line + 1).astype(np.int32), product, full - discount, discount)


def taken_back(rng: np.random.Generator, lines: Lines) -> Lines:
    """Of the lines, those that come back: with the amount that is paid back."""
    back = lines.of(rng.random(len(lines)) < RETURN_SHARE)
    nothing = np.zeros(len(back), np.int64)
    return Lines(back.person, back.order, back.line, back.product, -back.cents, nothing)


def _ranges(rng: np.random.Generator, kind: Codes) -> Codes:
    """Cheap, usual or dear, by how somebody chooses."""
    drawn = rng.random(len(kind))
    cheap = np.array([0.35, 0.55, 0.05])[kind]
    dear = np.array([0.15, 0.05, 0.75])[kind]
    return np.where(drawn < cheap, 0, np.where(drawn >= 1 - dear, 2, 1)).astype(np.int8)


def _discounts(rng: np.random.Generator, kind: Codes, full: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    share = np.array([0.12, 0.85, 0.03])[kind]
    is_off = rng.random(len(kind)) < share
    return np.where(is_off, full * rng.integers(20, 45, len(kind)) // 100, 0).astype(np.int64)


def _remember(
    state: State, rng: np.random.Generator, who: Days, product: Days, takes_pack: Flags, day: int
) -> None:
    """What a purchase changes in the days to come."""
    world, products = state.world, state.products
    category = products.category[product]
    state.needs_car_seat_on[who[category == CAR_SEATS]] = NEVER
    parents = who[category == STROLLERS]
    share = FOLLOWS_SHARE if world.has(Case.CAR_SEAT_FOLLOWS) else ELSE_SHARE
    follows = rng.random(len(parents)) < share
    state.needs_car_seat_on[parents[follows]] = day + rng.integers(5, 60, int(follows.sum()))
    stocked = who[takes_pack]
    state.pauses_until[stocked] = day + rng.integers(75, 130, len(stocked))

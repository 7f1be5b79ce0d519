"""Visits to stores: purchases with or without a card, and what sensors record."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifestage.simulate.baskets import CAR_SEATS, coupon_lift, fill_baskets, pick_categories
from lifestage.simulate.people import Codes, Days, Flags
from lifestage.simulate.state import BasketLines, State
from lifestage.simulate.text import hash_parts
from lifestage.simulate.visits import Visits

BUYS = 0.6
SHOWS_CARD = 0.93
PEOPLE_A_KIOSK = 800


@dataclass(frozen=True)
class StoreVisits:
    """The visits to all stores on one day, and what they leave behind."""

    visits: Visits
    bought: BasketLines
    sold_at: npt.NDArray[np.int32]
    """Second of the day, one value per line of `bought`."""
    shows_card: Flags
    """One value per line of `bought`."""
    dwells: Days
    """Indexes of the visits at which the person stood at a shelf."""
    dwelt: npt.NDArray[np.int32]
    """Seconds at the shelf, one value per entry of `dwells`."""
    shelf: Codes
    at_kiosk: Days
    """Indexes of the visits at which the person logged in on a device of the store."""


def shop(state: State, visits: Visits, day: int) -> StoreVisits:
    """Simulate all store visits of a day."""
    world, people = state.world, state.people
    rng = world.rng("store", day)
    n, who = len(visits), visits.person
    wanted = pick_categories(state, rng, who, day)
    buys = (wanted == CAR_SEATS) | (rng.random(n) < BUYS * coupon_lift(state, who, day))
    receipt = hash_parts(world.seed, 5, who, day)
    bought = fill_baskets(state, rng, (who[buys], receipt[buys], wanted[buys]), day)
    visit = np.flatnonzero(buys)[np.cumsum(bought.line == 1) - 1]
    has_card = people.gets_card[who] <= day
    shows = has_card & (rng.random(n) < SHOWS_CARD)
    dwells = np.flatnonzero(rng.random(n) < 0.3).astype(np.int32)
    at_kiosk = np.flatnonzero((people.registers[who] <= day) & (rng.random(n) < 0.03))
    return StoreVisits(
        visits=visits,
        bought=bought,
        sold_at=(visits.second[visit] + 600 + rng.integers(0, 600, n)[visit]).astype(np.int32),
        shows_card=shows[visit],
        dwells=dwells,
        dwelt=rng.geometric(1 / 90, len(dwells)).astype(np.int32),
        shelf=wanted[dwells],
        at_kiosk=at_kiosk.astype(np.int32),
    )

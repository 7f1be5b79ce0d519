"""Visits to stores: who buys what, with a card or without, and what the sensors see."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifestage.simulate.baskets import CAR_SEATS, fill, lift, wants
from lifestage.simulate.people import Codes, Days, Flags
from lifestage.simulate.state import Lines, State
from lifestage.simulate.text import mixed
from lifestage.simulate.visits import Visits

BUYS = 0.6
SHOWS_CARD = 0.93
PEOPLE_A_KIOSK = 800


@dataclass(frozen=True)
class Shopped:
    """What a day in the stores left."""

    visits: Visits
    bought: Lines
    sold_at: npt.NDArray[np.int32]
    """Second of the day, one value a line."""
    shows_card: Flags
    """One value a line."""
    dwells: Days
    """The visits at which somebody stood at a shelf."""
    dwelt: npt.NDArray[np.int32]
    """For how many seconds, one value for each of these."""
    shelf: Codes
    at_kiosk: Days
    """The visits at which somebody logged in on a device of the store."""


def shop(state: State, visits: Visits, day: int) -> Shopped:
    """The purchases and traces of all visits of a day to stores."""
    world, people = state.world, state.people
    rng = world.rng("store", day)
    n, who = len(visits), visits.person
    wanted = wants(state, rng, who, day)
    buys = (wanted == CAR_SEATS) | (rng.random(n) < BUYS * lift(state, who, day))
    receipt = mixed(world.seed, 5, who, day)
    bought = fill(state, rng, (who[buys], receipt[buys], wanted[buys]), day)
    visit = np.flatnonzero(buys)[np.cumsum(bought.line == 1) - 1]
    has_card = people.gets_card[who] <= day
    shows = has_card & (rng.random(n) < SHOWS_CARD)
    dwells = np.flatnonzero(rng.random(n) < 0.3).astype(np.int32)
    at_kiosk = np.flatnonzero((people.registers[who] <= day) & (rng.random(n) < 0.03))
    return Shopped(
        visits=visits,
        bought=bought,
        sold_at=(visits.second[visit] + 600 + rng.integers(0, 600, n)[visit]).astype(np.int32),
        shows_card=shows[visit],
        dwells=dwells,
        dwelt=rng.geometric(1 / 90, len(dwells)).astype(np.int32),
        shelf=wanted[dwells],
        at_kiosk=at_kiosk.astype(np.int32),
    )

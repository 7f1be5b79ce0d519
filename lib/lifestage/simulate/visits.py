"""Who comes on a day, where and when."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifestage.simulate.people import Codes, Days, Flags, Place
from lifestage.simulate.state import State
from lifestage.simulate.text import mixed
from lifestage.simulate.world import date_of

# Of the hours 0 to 23: by day, in the evening, at night; and those of a store.
HOURS = np.array([
    [0, 0, 0, 0, 0, 1, 3, 5, 6, 6, 6, 6, 8, 7, 6, 6, 6, 7, 7, 6, 5, 4, 2, 1],
    [1, 0, 0, 0, 0, 0, 1, 2, 2, 2, 3, 3, 4, 4, 3, 3, 4, 6, 9, 11, 12, 10, 6, 3],
    [9, 6, 3, 1, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 1, 1, 1, 2, 2, 3, 4, 7, 12, 13],
], float)  # fmt: skip
STORE_HOURS = np.array([0] * 8 + [3, 5, 6, 7, 7, 6, 6, 7, 9, 10, 9, 5] + [0] * 4, float)
# Monday to Sunday: online, and in stores, which rest on Sundays.
WEEK = np.array([[1.0, 0.95, 0.95, 1.0, 0.95, 1.0, 1.15], [0.95, 0.9, 0.95, 1.05, 1.4, 1.75, 0.0]])
Seconds = npt.NDArray[np.int32]
CLEARS_COOKIES = 0.02
CHANGES_DEVICE = 0.003


@dataclass(frozen=True)
class Visits:
    """One value a visit."""

    person: Days
    second: npt.NDArray[np.int32]
    """When it begins, in seconds of the day."""
    number: npt.NDArray[np.uint64]
    is_first: Flags
    """The first of this person in this place."""

    def __len__(self) -> int:
        return len(self.person)


def visits_on(state: State, day: int) -> dict[Place, Visits]:
    """Every visit of a day, by place; at most one a person."""
    world, people = state.world, state.people
    rng = world.rng("visits", day)
    weekday = date_of(day).weekday()
    online, store = WEEK[:, weekday] * season(day)
    weights = people.places * np.array([online, online, store], np.float32)
    chance = people.rate * weights.sum(axis=1) * people.is_customer(day) * (state.pauses_until < day)
    # Who needs a car seat comes for it, wherever something is open.
    chance = np.where(state.needs_car_seat_on <= day, weights.sum(axis=1) > 0, chance)
    coming = np.flatnonzero(rng.random(len(people), dtype=np.float32) < chance).astype(np.int32)
    edges = np.cumsum(weights[coming], axis=1)
    place = (rng.random((len(coming), 1)) * edges[:, -1:] >= edges).sum(axis=1)
    return {each: _visits(state, day, each, coming[place == each]) for each in Place}


def season(day: int) -> float:
    """More in December, less in summer."""
    return 1 + 0.15 * float(np.cos(2 * np.pi * (date_of(day).timetuple().tm_yday - 350) / 365))


def _visits(state: State, day: int, place: Place, person: Days) -> Visits:
    world, people = state.world, state.people
    rng = world.rng(f"visits-{place}", day)
    seen = (state.has_browsed, state.has_used_app, state.has_shopped)[place]
    is_first = ~seen[person] & (people.joins[person] >= 0)
    seen[person] = True
    if place is Place.WEB:
        state.cookie[person[rng.random(len(person)) < CLEARS_COOKIES]] += 1
    elif place is Place.APP:
        state.device[person[rng.random(len(person)) < CHANGES_DEVICE]] += 1
    hours = np.full(len(person), 3, np.int8) if place is Place.STORE else people.hours[person]
    return Visits(person, _seconds(rng, hours), mixed(world.seed, 3, int(place), person, day), is_first)


def _seconds(rng: np.random.Generator, hours: Codes) -> Seconds:
    edges = np.cumsum(np.vstack([HOURS, STORE_HOURS]), axis=1)
    edges /= edges[:, -1:]
    hour = (rng.random((len(hours), 1)) >= edges[hours]).sum(axis=1)
    # A visit ends on the day on which it begins.
    second: Seconds = np.minimum(hour * 3600 + rng.integers(0, 3600, len(hours)), 86_400 - 1_800).astype(
        np.int32
    )
    return second

"""The visits of a day: who visits which place, and when."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifestage.simulate.people import Codes, Days, Flags, Place
from lifestage.simulate.state import State
from lifestage.simulate.text import hash_parts
from lifestage.simulate.world import date_of

# Weights of the hours 0 to 23 for people of the daytime, the evening and the night, and for stores.
HOURS = np.array([
    [0, 0, 0, 0, 0, 1, 3, 5, 6, 6, 6, 6, 8, 7, 6, 6, 6, 7, 7, 6, 5, 4, 2, 1],
    [1, 0, 0, 0, 0, 0, 1, 2, 2, 2, 3, 3, 4, 4, 3, 3, 4, 6, 9, 11, 12, 10, 6, 3],
    [9, 6, 3, 1, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 1, 1, 1, 2, 2, 3, 4, 7, 12, 13],
], float)  # fmt: skip
STORE_HOURS = np.array([0] * 8 + [3, 5, 6, 7, 7, 6, 6, 7, 9, 10, 9, 5] + [0] * 4, float)
# Weights of Monday to Sunday, online and in stores. Stores are closed on Sundays.
WEEK = np.array([[1.0, 0.95, 0.95, 1.0, 0.95, 1.0, 1.15], [0.95, 0.9, 0.95, 1.05, 1.4, 1.75, 0.0]])
Seconds = npt.NDArray[np.int32]
CLEARS_COOKIES = 0.02
CHANGES_DEVICE = 0.003


@dataclass(frozen=True)
class Visits:
    """One value per visit in each array."""

    person: Days
    second: npt.NDArray[np.int32]
    """Start of the visit, in seconds of the day."""
    number: npt.NDArray[np.uint64]
    is_first: Flags
    """Whether it is the person's first visit to the place."""

    def __len__(self) -> int:
        return len(self.person)


def draw_visits(state: State, day: int) -> dict[Place, Visits]:
    """Draw the visits of a day by place; at most one per person."""
    world, people = state.world, state.people
    rng = world.rng("visits", day)
    weekday = date_of(day).weekday()
    # Visits peak in December and are fewest in summer.
    season = 1 + 0.15 * float(np.cos(2 * np.pi * (date_of(day).timetuple().tm_yday - 350) / 365))
    online, store = WEEK[:, weekday] * season
    weights = people.places * np.array([online, online, store], np.float32)
    chance = people.rate * weights.sum(axis=1) * people.is_customer(day) * (state.pauses_until < day)
    # A person who needs a car seat comes if any of their places is open.
    chance = np.where(state.needs_car_seat_on <= day, weights.sum(axis=1) > 0, chance)
    coming = np.flatnonzero(rng.random(len(people), dtype=np.float32) < chance).astype(np.int32)
    edges = np.cumsum(weights[coming], axis=1)
    place = (rng.random((len(coming), 1)) * edges[:, -1:] >= edges).sum(axis=1)
    return {each: _draw_place_visits(state, day, each, coming[place == each]) for each in Place}


def _draw_place_visits(state: State, day: int, place: Place, person: Days) -> Visits:
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
    return Visits(
        person, _draw_seconds(rng, hours), hash_parts(world.seed, 3, int(place), person, day), is_first
    )


def _draw_seconds(rng: np.random.Generator, hours: Codes) -> Seconds:
    edges = np.cumsum(np.vstack([HOURS, STORE_HOURS]), axis=1)
    edges /= edges[:, -1:]
    hour = (rng.random((len(hours), 1)) >= edges[hours]).sum(axis=1)
    # Starts at least half an hour before midnight: a visit ends on the day on which it begins.
    second: Seconds = np.minimum(hour * 3600 + rng.integers(0, 3600, len(hours)), 86_400 - 1_800).astype(
        np.int32
    )
    return second

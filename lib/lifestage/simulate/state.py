"""What changes from day to day, one value a person, and what is still to come."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lifestage.simulate.people import NEVER, Days, Flags, People, people_of
from lifestage.simulate.products import Products, products_of
from lifestage.simulate.world import World


@dataclass(frozen=True)
class Lines:
    """Lines of receipts and orders, one value a line."""

    person: Days
    order: npt.NDArray[np.uint64]
    line: npt.NDArray[np.int32]
    product: npt.NDArray[np.int32]
    cents: npt.NDArray[np.int64]
    """After the discount; below zero where something came back."""
    discount: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.person)

    def of(self, keep: Flags) -> "Lines":
        """Some of the lines."""
        return Lines(*[getattr(self, name)[keep] for name in Lines.__dataclass_fields__])


@dataclass(frozen=True)
class Mailing:
    """Who was chosen for a coupon, and who was held back to compare with."""

    name: str
    day: int
    treated: Days
    control: Days


def joined_lines(parts: Sequence[Lines]) -> Lines:
    """All lines of some parts, in their order."""
    types = {"person": np.int32, "order": np.uint64, "line": np.int32, "product": np.int32, "cents": np.int64}
    columns: dict[str, npt.NDArray[Any]] = {
        each.name: np.concatenate(
            [np.zeros(0, types.get(each.name, np.int64)), *[getattr(part, each.name) for part in parts]]
        )
        for each in fields(Lines)
    }
    return Lines(**columns)


@dataclass
class Later:
    """Lines of which more is heard on a later day."""

    waiting: dict[int, list[Lines]] = field(default_factory=lambda: defaultdict(list))

    def put(self, rng: np.random.Generator, lines: Lines, day: int, within: range) -> None:
        """Each line waits for one of so many days."""
        after = rng.integers(within.start, within.stop, len(lines))
        for days in within:
            self.waiting[day + days].append(lines.of(after == days))

    def take(self, day: int) -> Lines:
        """What has waited for this day."""
        return joined_lines(self.waiting.pop(day, []))


@dataclass
class State:
    """A world while it is lived; one value a person in each array."""

    world: World
    people: People
    products: Products
    moves: npt.NDArray[np.int16]
    """How often somebody has moved house."""
    cookie: npt.NDArray[np.int16]
    device: npt.NDArray[np.int16]
    has_browsed: Flags
    has_used_app: Flags
    has_shopped: Flags
    has_registered: Flags
    pauses_until: Days
    coupon_until: Days
    needs_car_seat_on: Days
    returned_to_store: Later = field(default_factory=Later)
    returned_by_mail: Later = field(default_factory=Later)
    delivered: Later = field(default_factory=Later)
    reviewed: Later = field(default_factory=Later)
    mailings: list[Mailing] = field(default_factory=list)
    unsent: list[pa.Array] = field(default_factory=list)
    """Customer records of a day without an extract."""


def state_of(world: World) -> State:
    """Before the first day."""
    n, people = world.n_people, people_of(world)
    return State(
        world=world,
        people=people,
        products=products_of(),
        moves=np.zeros(n, np.int16),
        cookie=np.zeros(n, np.int16),
        device=np.zeros(n, np.int16),
        has_browsed=np.zeros(n, bool),
        has_used_app=np.zeros(n, bool),
        has_shopped=np.zeros(n, bool),
        has_registered=people.registers < 0,
        pauses_until=np.full(n, -1, np.int32),
        coupon_until=np.full(n, -1, np.int32),
        needs_car_seat_on=np.full(n, NEVER, np.int32),
    )

"""The state of a world: one value per person that changes from day to day, and what is scheduled for later days."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lifestage.simulate.people import NEVER, Days, Flags, People, draw_people
from lifestage.simulate.products import Products, draw_products
from lifestage.simulate.world import World


@dataclass(frozen=True)
class BasketLines:
    """Lines of receipts and orders: one value per line in each array."""

    person: Days
    order: npt.NDArray[np.uint64]
    line: npt.NDArray[np.int32]
    product: npt.NDArray[np.int32]
    cents: npt.NDArray[np.int64]
    """Amount after the discount; negative for a return."""
    discount: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.person)

    def filter(self, mask: Flags) -> "BasketLines":
        """Return the lines for which the mask is true."""
        return BasketLines(*[getattr(self, name)[mask] for name in BasketLines.__dataclass_fields__])


@dataclass(frozen=True)
class Mailing:
    """One coupon mailing: the people who were chosen for it, and the control group."""

    name: str
    day: int
    treated: Days
    control: Days


def concat_lines(parts: Sequence[BasketLines]) -> BasketLines:
    """Concatenate lines; no parts give no lines."""
    types = {"person": np.int32, "order": np.uint64, "line": np.int32, "product": np.int32, "cents": np.int64}
    columns: dict[str, npt.NDArray[Any]] = {
        each.name: np.concatenate(
            [np.zeros(0, types.get(each.name, np.int64)), *[getattr(part, each.name) for part in parts]]
        )
        for each in fields(BasketLines)
    }
    return BasketLines(**columns)


@dataclass
class Schedule:
    """Basket lines with a consequence on a later day."""

    waiting: dict[int, list[BasketLines]] = field(default_factory=lambda: defaultdict(list))

    def add(self, rng: np.random.Generator, lines: BasketLines, day: int, within: range) -> None:
        """Schedule each line for a random day, `within` days after `day`."""
        after = rng.integers(within.start, within.stop, len(lines))
        for days in within:
            self.waiting[day + days].append(lines.filter(after == days))

    def pop(self, day: int) -> BasketLines:
        """Remove and return the lines scheduled for a day."""
        return concat_lines(self.waiting.pop(day, []))


@dataclass
class State:
    """A world in progress: one value per person in each array."""

    world: World
    people: People
    products: Products
    moves: npt.NDArray[np.int16]
    """Number of times a person has moved house."""
    cookie: npt.NDArray[np.int16]
    device: npt.NDArray[np.int16]
    has_browsed: Flags
    has_used_app: Flags
    has_shopped: Flags
    has_registered: Flags
    pauses_until: Days
    coupon_until: Days
    needs_car_seat_on: Days
    returned_to_store: Schedule = field(default_factory=Schedule)
    returned_by_mail: Schedule = field(default_factory=Schedule)
    delivered: Schedule = field(default_factory=Schedule)
    reviewed: Schedule = field(default_factory=Schedule)
    mailings: list[Mailing] = field(default_factory=list)
    unsent: list[pa.Array] = field(default_factory=list)
    """Customer records of a day without an extract."""


def initial_state(world: World) -> State:
    """Return the state before the first day."""
    n, people = world.n_people, draw_people(world)
    return State(
        world=world,
        people=people,
        products=draw_products(),
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

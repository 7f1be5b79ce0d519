"""What names people in the files: cookies and devices that change, numbers that stay."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lifestage.simulate.people import People
from lifestage.simulate.text import Ints, chosen, hexes, joined, mixed, padded
from lifestage.simulate.world import World

FIRST = ("anna", "ben", "clara", "david", "emma", "felix", "greta", "hugo", "ida", "jonas", "karla", "leo", "mia", "noah", "olga", "paul", "rosa", "samuel", "thea", "viktor")  # fmt: skip
LAST = ("adler", "bach", "conrad", "dorn", "engel", "falk", "graf", "hahn", "iser", "jung", "kern", "lang", "maier", "nagel", "otto", "peters", "roth", "seidel", "thoma", "weber")  # fmt: skip
# Without a common divisor with powers of ten: each person has a number of their own, in no order.
STEP = 61_803_399
NUMBERS = 10**8


def cookies(world: World, person: Ints, generation: Ints) -> pa.Array:
    """A browser's cookie; clearing it begins a new generation."""
    return joined("ck-", hexes(mixed(world.seed, 1, person, generation)))


def devices(world: World, person: Ints, generation: Ints) -> pa.Array:
    """A telephone with the app."""
    return joined("dv-", hexes(mixed(world.seed, 2, person, generation)))


def kiosks(number: Ints) -> pa.Array:
    """A device in a store that whoever comes logs in on."""
    return joined("dv-kiosk-", padded(number, 4))


def members(world: World, person: Ints) -> pa.Array:
    """A member number."""
    return joined("M", padded(_numbers(world, person, 1), 8))


def cards(world: World, person: Ints) -> pa.Array:
    """The number on a loyalty card."""
    return joined("2900", padded(_numbers(world, person, 2), 8))


def phones(world: World, people: People, person: Ints) -> pa.Array:
    """A telephone number in E.164; a family has one."""
    return joined("+49151", padded(_numbers(world, people.family()[person], 3), 8))


def emails(world: World, person: Ints) -> pa.Array:
    """An address for mail."""
    number = padded(_numbers(world, person, 4), 8)
    return joined(first_names(world, person), ".", last_names(world, person), ".", number, "@mail.example")


def first_names(world: World, person: Ints) -> pa.Array:
    """The first name, in lower case."""
    return chosen(FIRST, (mixed(world.seed, 5, person) % np.uint64(len(FIRST))).astype(np.int32))


def last_names(world: World, person: Ints) -> pa.Array:
    """The family name, in lower case."""
    return chosen(LAST, (mixed(world.seed, 6, person) % np.uint64(len(LAST))).astype(np.int32))


def as_written(phone: pa.Array, manner: Ints) -> pa.Array:
    """A number as people write it: as it is, with spaces, or as one dials within the country."""
    ways = [
        phone,
        joined(
            pc.utf8_slice_codeunits(phone, 0, 3),
            " ",
            pc.utf8_slice_codeunits(phone, 3, 6),
            " ",
            pc.utf8_slice_codeunits(phone, 6),
        ),
        joined("0", pc.utf8_slice_codeunits(phone, 3, 6), "/", pc.utf8_slice_codeunits(phone, 6)),
    ]
    return pc.choose(pa.array(np.asarray(manner, np.int64)), *ways)


def _numbers(world: World, person: Ints, kind: int) -> npt.NDArray[np.int64]:
    start = int(mixed(world.seed, 9, kind)) % NUMBERS
    found: npt.NDArray[np.int64] = (np.asarray(person, np.int64) * STEP + start) % NUMBERS
    return found

"""The identifiers of people in the files: cookies and devices that change, and numbers that stay."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lifestage.simulate.people import People
from lifestage.simulate.text import Ints, concat_text, format_hex, hash_parts, pick_names, zero_pad
from lifestage.simulate.world import World

FIRST = ("anna", "ben", "clara", "david", "emma", "felix", "greta", "hugo", "ida", "jonas", "karla", "leo", "mia", "noah", "olga", "paul", "rosa", "samuel", "thea", "viktor")  # fmt: skip
LAST = ("adler", "bach", "conrad", "dorn", "engel", "falk", "graf", "hahn", "iser", "jung", "kern", "lang", "maier", "nagel", "otto", "peters", "roth", "seidel", "thoma", "weber")  # fmt: skip
# Has no common divisor with powers of ten, so that each person gets a unique number, in no visible order.
STEP = 61_803_399
NUMBERS = 10**8


def cookies(world: World, person: Ints, generation: Ints) -> pa.Array:
    """Return a browser's cookie; clearing cookies begins a new generation."""
    return concat_text("ck-", format_hex(hash_parts(world.seed, 1, person, generation)))


def devices(world: World, person: Ints, generation: Ints) -> pa.Array:
    """Return the id of a phone with the app; a new phone begins a new generation."""
    return concat_text("dv-", format_hex(hash_parts(world.seed, 2, person, generation)))


def kiosks(number: Ints) -> pa.Array:
    """Return the id of a shared device in a store."""
    return concat_text("dv-kiosk-", zero_pad(number, 4))


def members(world: World, person: Ints) -> pa.Array:
    """Return the member number."""
    return concat_text("M", zero_pad(_unique_numbers(world, person, 1), 8))


def cards(world: World, person: Ints) -> pa.Array:
    """Return the number of the loyalty card."""
    return concat_text("2900", zero_pad(_unique_numbers(world, person, 2), 8))


def phones(world: World, people: People, person: Ints) -> pa.Array:
    """Return the phone number in E.164 format; a family shares one."""
    return concat_text("+49151", zero_pad(_unique_numbers(world, people.family()[person], 3), 8))


def emails(world: World, person: Ints) -> pa.Array:
    """Return the e-mail address."""
    number = zero_pad(_unique_numbers(world, person, 4), 8)
    return concat_text(
        first_names(world, person), ".", last_names(world, person), ".", number, "@mail.example"
    )


def first_names(world: World, person: Ints) -> pa.Array:
    """Return the first name in lower case."""
    return pick_names(FIRST, (hash_parts(world.seed, 5, person) % np.uint64(len(FIRST))).astype(np.int32))


def last_names(world: World, person: Ints) -> pa.Array:
    """Return the family name in lower case."""
    return pick_names(LAST, (hash_parts(world.seed, 6, person) % np.uint64(len(LAST))).astype(np.int32))


def vary_phone_format(phone: pa.Array, manner: Ints) -> pa.Array:
    """Return a phone number as people write it: unchanged, with spaces, or in national format."""
    ways = [
        phone,
        concat_text(
            pc.utf8_slice_codeunits(phone, 0, 3),
            " ",
            pc.utf8_slice_codeunits(phone, 3, 6),
            " ",
            pc.utf8_slice_codeunits(phone, 6),
        ),
        concat_text("0", pc.utf8_slice_codeunits(phone, 3, 6), "/", pc.utf8_slice_codeunits(phone, 6)),
    ]
    return pc.choose(pa.array(np.asarray(manner, np.int64)), *ways)


def _unique_numbers(world: World, person: Ints, kind: int) -> npt.NDArray[np.int64]:
    start = int(hash_parts(world.seed, 9, kind)) % NUMBERS
    found: npt.NDArray[np.int64] = (np.asarray(person, np.int64) * STEP + start) % NUMBERS
    return found

"""Customer extracts: members and their changes, cards from paper forms, and the errors in both."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lifestage.simulate.identifiers import (
    cards,
    emails,
    first_names,
    last_names,
    members,
    phones,
    vary_phone_format,
)
from lifestage.simulate.people import Days, Flags, People
from lifestage.simulate.products import CATEGORIES
from lifestage.simulate.state import State
from lifestage.simulate.text import (
    concat_text,
    format_instants,
    format_integers,
    hash_parts,
    pick_names,
    to_csv_lines,
    zero_pad,
)
from lifestage.simulate.world import World, midnight

MEMBERS_HEADER = "member_no,card_no,email,phone,first_name,last_name,street,postcode,city,birth_year,preference,newsletter,changed_at"
CARDS_HEADER = "card_no,phone,first_name,last_name,city,filled_on"
CITIES = ("Aachen", "Bremen", "Chemnitz", "Dresden", "Erfurt", "Freiburg", "Goslar", "Halle", "Ingolstadt", "Jena", "Kiel", "Lübeck")  # fmt: skip
STREETS = (
    "Am Anger",
    "Bahnhofstr.",
    "Gartenweg",
    "Hauptstr.",
    "Lindenallee",
    "Marktplatz",
    "Mühlenweg",
    "Ringstr.",
)
MOVES = 0.0006
# What people type into a required field.
NO_PHONE, NO_EMAIL = "0000000000", "test@test.com"
PLACEHOLDER, CUT_OFF, MIXED_UP, SAID_TWICE = 0.01, 0.005, 0.003, 0.002
HIDES_CARD = 0.1
# Days without an extract: its rows arrive with the next one.
MISSED_EVERY, MISSED_ON = 45, 37


def stable_uniform(world: World, purpose: int, person: Days) -> npt.NDArray[np.float64]:
    """Return a number from 0 to 1 per person and purpose that is the same on every day."""
    found: npt.NDArray[np.float64] = (
        hash_parts(world.seed, 100 + purpose, person).astype(np.float64) / 2.0**64
    )
    return found


def has_card_on_file(state: State, day: int) -> Flags:
    """Return the members whose customer record holds their card number."""
    world, people = state.world, state.people
    everyone = np.arange(len(people), dtype=np.int32)
    found: Flags = (people.gets_card <= day) & (stable_uniform(world, 1, everyone) >= HIDES_CARD)
    return found


def has_bad_contact(world: World, person: Days) -> tuple[Flags, Flags]:
    """Return whose e-mail and whose phone number is a placeholder, cut off, or in the wrong column."""
    email, phone = stable_uniform(world, 2, person), stable_uniform(world, 3, person)
    swapped = stable_uniform(world, 4, person) < MIXED_UP
    return (email < PLACEHOLDER + CUT_OFF) | swapped, (phone < PLACEHOLDER) | swapped


def member_lines(state: State, day: int) -> pa.Array:
    """Build the records of members who are new, have moved or got a card; on the first day, of all members.

    A day without an extract gives no lines; its records arrive one day later.
    """
    world, people, moves = state.world, state.people, state.moves
    rng = world.rng("crm", day)
    known = people.registers <= day
    moved = known & (rng.random(len(people), dtype=np.float32) < MOVES)
    moves[moved] += 1
    new = known if day == 0 else (people.registers == day)
    carded = known & (people.gets_card == day)
    listed = np.flatnonzero(new | moved | carded).astype(np.int32)
    again = listed[rng.random(len(listed)) < SAID_TWICE]
    # Some members appear twice in one file, with two cities.
    twice = _member_rows(state, again, moves[again] + 1, day)
    state.unsent += [_member_rows(state, listed, moves[listed], day), twice]
    if day % MISSED_EVERY == MISSED_ON:
        return pa.array([], pa.string())
    lines = pa.concat_arrays(state.unsent)
    state.unsent.clear()
    return lines


def card_lines(state: State, day: int) -> pa.Array:
    """Build the paper forms of the cards handed out in stores; on the first day, of all earlier cards too."""
    world, people = state.world, state.people
    given = people.gets_card <= 0 if day == 0 else people.gets_card == day
    who = np.flatnonzero(given).astype(np.int32)
    phone = vary_phone_format(
        phones(world, people, who), (hash_parts(world.seed, 21, who) % np.uint64(3)).astype(np.int8)
    )
    return to_csv_lines(
        {
            "card_no": cards(world, who),
            "phone": pc.if_else(pa.array(stable_uniform(world, 5, who) < 0.8), phone, None),
            "first_name": pc.utf8_capitalize(first_names(world, who)),
            "last_name": pc.utf8_capitalize(last_names(world, who)),
            "city": _city(people, who, np.zeros(len(who), np.int16)),
            "filled_on": format_instants(midnight(day) + np.full(len(who), 10 * 3600)),
        }
    )


def _member_rows(state: State, who: Days, moves: npt.NDArray[np.int16], day: int) -> pa.Array:
    world, people = state.world, state.people
    email, phone = _contacts(state, who)
    card = cards(world, who)
    number = (hash_parts(world.seed, 22, who, moves) % np.uint64(190)).astype(np.int64) + 1
    street = pick_names(
        STREETS, (hash_parts(world.seed, 23, who, moves) % np.uint64(len(STREETS))).astype(np.int8)
    )
    tidy = concat_text('"', street, " ", format_integers(number), '"')
    # A messy address: the carrier cannot find it.
    messy = concat_text('"', street, ", ring twice, rear, ", format_integers(number), ' ??"')
    return to_csv_lines(
        {
            "member_no": members(world, who),
            "card_no": pc.if_else(pa.array(has_card_on_file(state, day)[who]), card, None),
            "email": email,
            "phone": phone,
            "first_name": pc.utf8_capitalize(first_names(world, who)),
            "last_name": pc.utf8_capitalize(last_names(world, who)),
            "street": pc.if_else(pa.array(people.is_messy[who]), messy, tidy),
            "postcode": zero_pad(10_000 + number * 97 + moves, 5),
            "city": _city(people, who, moves),
            "birth_year": format_integers(
                1940 + (hash_parts(world.seed, 24, who) % np.uint64(66)).astype(np.int64)
            ),
            "preference": pick_names(CATEGORIES, people.category[who]),
            "newsletter": pick_names(["no", "yes"], (stable_uniform(world, 6, who) < 0.6).astype(np.int8)),
            "changed_at": format_instants(midnight(day) + np.full(len(who), 20 * 3600)),
        }
    )


def _contacts(state: State, who: Days) -> tuple[pa.Array, pa.Array]:
    """Return e-mail and phone number as the file has them, errors included."""
    world, people = state.world, state.people
    drawn, called = stable_uniform(world, 2, who), stable_uniform(world, 3, who)
    email = emails(world, who)
    shouted = pc.if_else(
        pa.array(stable_uniform(world, 7, who) < 0.1), concat_text(" ", pc.utf8_upper(email)), email
    )
    cut = pc.utf8_slice_codeunits(email, 0, 9)
    email = pc.if_else(pa.array(drawn < PLACEHOLDER + CUT_OFF), cut, shouted)
    email = pc.if_else(pa.array(drawn < PLACEHOLDER), NO_EMAIL, email)
    phone = vary_phone_format(
        phones(world, people, who), (hash_parts(world.seed, 25, who) % np.uint64(3)).astype(np.int8)
    )
    phone = pc.if_else(pa.array(called < PLACEHOLDER), NO_PHONE, phone)
    swapped = pa.array(stable_uniform(world, 4, who) < MIXED_UP)
    return pc.if_else(swapped, phone, email), pc.if_else(swapped, email, phone)


def _city(people: People, who: Days, moves: npt.NDArray[np.int16]) -> pa.Array:
    return pick_names(CITIES, ((people.region[who] + moves) % len(CITIES)).astype(np.int16))

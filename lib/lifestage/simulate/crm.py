"""What the customer files say: members and their changes, cards from paper forms, and the mistakes in both."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lifestage.simulate.identifiers import as_written, cards, emails, first_names, last_names, members, phones
from lifestage.simulate.people import Days, Flags, People
from lifestage.simulate.products import CATEGORIES
from lifestage.simulate.state import State
from lifestage.simulate.text import chosen, csv_lines, instants, joined, mixed, padded, whole
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
# What somebody types into a field that has to be filled.
NO_PHONE, NO_EMAIL = "0000000000", "test@test.com"
PLACEHOLDER, CUT_OFF, MIXED_UP, SAID_TWICE = 0.01, 0.005, 0.003, 0.002
HIDES_CARD = 0.1
# The extract of such days is not made; its rows come with the next.
MISSED_EVERY, MISSED_ON = 45, 37


def uniform(world: World, purpose: int, person: Days) -> npt.NDArray[np.float64]:
    """A number from 0 to 1 that a person has for a purpose, on every day the same."""
    found: npt.NDArray[np.float64] = mixed(world.seed, 100 + purpose, person).astype(np.float64) / 2.0**64
    return found


def states_card(state: State, day: int) -> Flags:
    """Members in whose record their card is written."""
    world, people = state.world, state.people
    everyone = np.arange(len(people), dtype=np.int32)
    found: Flags = (people.gets_card <= day) & (uniform(world, 1, everyone) >= HIDES_CARD)
    return found


def has_bad_contact(world: World, person: Days) -> tuple[Flags, Flags]:
    """Whose e-mail and whose telephone number in the file is not theirs, is cut off or stands in the wrong column."""
    email, phone = uniform(world, 2, person), uniform(world, 3, person)
    swapped = uniform(world, 4, person) < MIXED_UP
    return (email < PLACEHOLDER + CUT_OFF) | swapped, (phone < PLACEHOLDER) | swapped


def member_lines(state: State, day: int) -> pa.Array:
    """Members who are new, have moved or got a card; on the first day everybody known.

    Nothing on a day without an extract: its rows come a day later.
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
    # The same member twice in one file, in two cities.
    twice = _members(state, again, moves[again] + 1, day)
    state.unsent += [_members(state, listed, moves[listed], day), twice]
    if day % MISSED_EVERY == MISSED_ON:
        return pa.array([], pa.string())
    lines = pa.concat_arrays(state.unsent)
    state.unsent.clear()
    return lines


def card_lines(state: State, day: int) -> pa.Array:
    """Cards given out in stores, each with a paper form; on the first day all that were given out before."""
    world, people = state.world, state.people
    given = people.gets_card <= 0 if day == 0 else people.gets_card == day
    who = np.flatnonzero(given).astype(np.int32)
    phone = as_written(
        phones(world, people, who), (mixed(world.seed, 21, who) % np.uint64(3)).astype(np.int8)
    )
    return csv_lines(
        {
            "card_no": cards(world, who),
            "phone": pc.if_else(pa.array(uniform(world, 5, who) < 0.8), phone, None),
            "first_name": pc.utf8_capitalize(first_names(world, who)),
            "last_name": pc.utf8_capitalize(last_names(world, who)),
            "city": _city(people, who, np.zeros(len(who), np.int16)),
            "filled_on": instants(midnight(day) + np.full(len(who), 10 * 3600)),
        }
    )


def _members(state: State, who: Days, moves: npt.NDArray[np.int16], day: int) -> pa.Array:
    world, people = state.world, state.people
    email, phone = _contacts(state, who)
    card = cards(world, who)
    number = (mixed(world.seed, 22, who, moves) % np.uint64(190)).astype(np.int64) + 1
    street = chosen(STREETS, (mixed(world.seed, 23, who, moves) % np.uint64(len(STREETS))).astype(np.int8))
    tidy = joined('"', street, " ", whole(number), '"')
    # A house number that is none, a floor, a hint: what a carrier does not find.
    messy = joined('"', street, ", ring twice, rear, ", whole(number), ' ??"')
    return csv_lines(
        {
            "member_no": members(world, who),
            "card_no": pc.if_else(pa.array(states_card(state, day)[who]), card, None),
            "email": email,
            "phone": phone,
            "first_name": pc.utf8_capitalize(first_names(world, who)),
            "last_name": pc.utf8_capitalize(last_names(world, who)),
            "street": pc.if_else(pa.array(people.is_messy[who]), messy, tidy),
            "postcode": padded(10_000 + number * 97 + moves, 5),
            "city": _city(people, who, moves),
            "birth_year": whole(1940 + (mixed(world.seed, 24, who) % np.uint64(66)).astype(np.int64)),
            "preference": chosen(CATEGORIES, people.category[who]),
            "newsletter": chosen(["no", "yes"], (uniform(world, 6, who) < 0.6).astype(np.int8)),
            "changed_at": instants(midnight(day) + np.full(len(who), 20 * 3600)),
        }
    )


def _contacts(state: State, who: Days) -> tuple[pa.Array, pa.Array]:
    """E-mail and telephone as the file has them."""
    world, people = state.world, state.people
    drawn, called = uniform(world, 2, who), uniform(world, 3, who)
    email = emails(world, who)
    shouted = pc.if_else(pa.array(uniform(world, 7, who) < 0.1), joined(" ", pc.utf8_upper(email)), email)
    cut = pc.utf8_slice_codeunits(email, 0, 9)
    email = pc.if_else(pa.array(drawn < PLACEHOLDER + CUT_OFF), cut, shouted)
    email = pc.if_else(pa.array(drawn < PLACEHOLDER), NO_EMAIL, email)
    phone = as_written(
        phones(world, people, who), (mixed(world.seed, 25, who) % np.uint64(3)).astype(np.int8)
    )
    phone = pc.if_else(pa.array(called < PLACEHOLDER), NO_PHONE, phone)
    swapped = pa.array(uniform(world, 4, who) < MIXED_UP)
    return pc.if_else(swapped, phone, email), pc.if_else(swapped, email, phone)


def _city(people: People, who: Days, moves: npt.NDArray[np.int16]) -> pa.Array:
    return chosen(CITIES, ((people.region[who] + moves) % len(CITIES)).astype(np.int16))

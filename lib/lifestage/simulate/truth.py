"""What is true in the world and stands in no file of its systems: the tables under `truth/`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from lifestage.simulate.crm import has_bad_contact
from lifestage.simulate.faults import COUNTS, Post
from lifestage.simulate.identifiers import cards, cookies, devices, emails, members, phones
from lifestage.simulate.people import Days, Flags, Kind, Origin
from lifestage.simulate.products import CATEGORIES
from lifestage.simulate.state import State
from lifestage.simulate.text import Ints, chosen, padded
from lifestage.simulate.world import MEANINGS, World, date_of

Names = Callable[[World, Ints, Ints], pa.Array]


def write_truth(state: State, post: Post, folder: Path) -> None:
    """people, identifiers, treatments, cases and rows, each as CSV."""
    world = state.world
    folder.mkdir(parents=True)
    tables = {
        "people": _people(state),
        "identifiers": _identifiers(state),
        "treatments": _treatments(state),
        "cases": pa.table(
            {
                "case": [case.value for case in MEANINGS],
                "is_planted": [world.has(case) for case in MEANINGS],
                "meaning": [*MEANINGS.values()],
            }
        ),
        "rows": pa.table(
            {
                "source": sorted(post.counts),
                **{name: [post.counts[source][name] for source in sorted(post.counts)] for name in COUNTS},
            }
        ),
    }
    for name, table in tables.items():
        pa_csv.write_csv(
            table, folder / f"{name}.csv", pa_csv.WriteOptions(quoting_style="needed", quoting_header="none")
        )


def _people(state: State) -> pa.Table:
    """One row a person: when they came, left and came back, and what they are like."""
    world, people = state.world, state.people
    last = world.n_days - 1
    has_left = (people.leaves <= last) & (people.joins <= last)
    has_returned = has_left & (people.returns <= last)
    states = {
        "to_come": people.joins > last,
        "recalled": has_returned,
        "churned": has_left,
        "registered": people.registers <= last,
        "contact": np.ones(len(people), bool),
    }
    known_as = np.argmax(np.vstack([*states.values()]), axis=0)
    return pa.table(
        {
            "person": _names(np.arange(len(people))),
            "state": chosen([*states], known_as),
            "joined_on": _dates(people.joins, people.joins <= last),
            "registered_on": _dates(people.registers, people.registers <= last),
            "churned_on": _dates(people.leaves, has_left),
            "returned_on": _dates(people.returns, has_returned),
            "kind": chosen([kind.name.lower() for kind in Kind], people.kind),
            "hours": chosen(["day", "evening", "night"], people.hours),
            "category": chosen(CATEGORIES, people.category),
            "origin": chosen([origin.name.lower() for origin in Origin], people.origin),
            "friend_of": pc.if_else(pa.array(people.friend_of >= 0), _names(people.friend_of), None),
            "misjudges_cycle": pa.array(people.misjudges),
            "has_messy_address": pa.array(people.is_messy),
            "visits_a_day": pa.array(np.round(people.rate.astype(np.float64), 6)),
        }
    )


def _identifiers(state: State) -> pa.Table:
    """One row a person and identifier that could be in the files, as it is after normalisation."""
    world, people = state.world, state.people
    last = world.n_days - 1
    everyone = np.arange(len(people), dtype=np.int32)
    bad_email, bad_phone = has_bad_contact(world, everyone)
    registered, carded = everyone[people.registers <= last], everyone[people.gets_card <= last]
    # A number stands in the customer file, or on the form of a card.
    listed = everyone[(people.registers <= last) | (people.gets_card <= last)]
    bad_phone &= people.registers <= last
    parts = [
        # Whoever sees an advertisement has a cookie.
        _generations(world, cookies, state.cookie, everyone, "cookie"),
        _generations(world, devices, state.device, everyone[state.has_used_app], "device"),
        _kind("member", registered, members(world, registered)),
        _kind("loyalty_card", carded, cards(world, carded)),
        _kind("email", registered, emails(world, registered), bad_email[registered]),
        _kind("phone", listed, phones(world, people, listed), bad_phone[listed], people.in_family[listed]),
    ]
    return pa.concat_tables(parts)


def _generations(world: World, names: Names, generation: Ints, who: Days, kind: str) -> pa.Table:
    n = generation[who].astype(np.int64) + 1
    each = np.repeat(who, n)
    number = np.arange(len(each)) - np.repeat(np.cumsum(n) - n, n)
    return _kind(kind, each, names(world, each, number.astype(np.int16)))


def _kind(
    kind: str, person: Days, values: pa.Array, is_wrong: Flags | None = None, is_shared: Flags | None = None
) -> pa.Table:
    n = len(person)
    return pa.table(
        {
            "person": _names(person),
            "type": pa.array([kind] * n, pa.string()),
            "value": values,
            "is_wrong_in_crm": pa.array(np.zeros(n, bool) if is_wrong is None else is_wrong),
            "is_shared": pa.array(np.zeros(n, bool) if is_shared is None else is_shared),
        }
    )


def _treatments(state: State) -> pa.Table:
    """One row a mailing and person: who got it and who was held back, with what it does to who got it."""
    parts = [
        pa.table(
            {
                "campaign": pa.array([mailing.name] * len(who), pa.string()),
                "sent_on": pa.array([str(date_of(mailing.day))] * len(who), pa.string()),
                "member": members(state.world, who),
                "arm": pa.array([arm] * len(who), pa.string()),
            }
        )
        for mailing in state.mailings
        for arm, who in (("treated", mailing.treated), ("control", mailing.control))
    ]
    empty = pa.table({name: pa.array([], pa.string()) for name in ("campaign", "sent_on", "member", "arm")})
    return pa.concat_tables([empty, *parts])


def _names(person: Ints) -> pa.Array:
    return padded(np.maximum(person, 0), 7)


def _dates(days: Days, known: Flags) -> pa.Array:
    epoch = (date_of(0) - date_of(0).replace(year=1970, month=1, day=1)).days
    return pa.array(np.where(known, days, 0) + epoch, pa.int32(), mask=~known).cast(pa.date32())

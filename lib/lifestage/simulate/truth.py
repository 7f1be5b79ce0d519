"""The truth about the world that no file of its systems holds: the tables under `truth/`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from lifestage.simulate.crm import has_bad_contact
from lifestage.simulate.faults import COUNTS, FaultInjector
from lifestage.simulate.identifiers import cards, cookies, devices, emails, members, phones
from lifestage.simulate.people import BuyerType, Days, Flags, Origin
from lifestage.simulate.products import CATEGORIES
from lifestage.simulate.state import State
from lifestage.simulate.text import Ints, pick_names, zero_pad
from lifestage.simulate.world import MEANINGS, World, date_of

Names = Callable[[World, Ints, Ints], pa.Array]


def write_truth(state: State, faults: FaultInjector, folder: Path) -> None:
    """Write the tables people, identifiers, treatments, cases and rows as CSV files."""
    world = state.world
    folder.mkdir(parents=True)
    tables = {
        "people": _people_table(state),
        "identifiers": _identifiers_table(state),
        "treatments": _treatments_table(state),
        "cases": pa.table(
            {
                "case": [case.value for case in MEANINGS],
                "is_planted": [world.has(case) for case in MEANINGS],
                "meaning": [*MEANINGS.values()],
            }
        ),
        "rows": pa.table(
            {
                "source": sorted(faults.counts),
                **{
                    name: [faults.counts[source][name] for source in sorted(faults.counts)] for name in COUNTS
                },
            }
        ),
    }
    for name, table in tables.items():
        pa_csv.write_csv(
            table, folder / f"{name}.csv", pa_csv.WriteOptions(quoting_style="needed", quoting_header="none")
        )


def _people_table(state: State) -> pa.Table:
    """One row per person: when they joined, left and returned, and their traits."""
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
            "person": _person_numbers(np.arange(len(people))),
            "state": pick_names([*states], known_as),
            "joined_on": _date_column(people.joins, people.joins <= last),
            "registered_on": _date_column(people.registers, people.registers <= last),
            "churned_on": _date_column(people.leaves, has_left),
            "returned_on": _date_column(people.returns, has_returned),
            "kind": pick_names([kind.name.lower() for kind in BuyerType], people.buyer_type),
            "hours": pick_names(["day", "evening", "night"], people.hours),
            "category": pick_names(CATEGORIES, people.category),
            "origin": pick_names([origin.name.lower() for origin in Origin], people.origin),
            "friend_of": pc.if_else(pa.array(people.friend_of >= 0), _person_numbers(people.friend_of), None),
            "misjudges_cycle": pa.array(people.misjudges),
            "has_messy_address": pa.array(people.is_messy),
            "visits_a_day": pa.array(np.round(people.rate.astype(np.float64), 6)),
        }
    )


def _identifiers_table(state: State) -> pa.Table:
    """One row per person and identifier that could be in the files, in normalised form."""
    world, people = state.world, state.people
    last = world.n_days - 1
    everyone = np.arange(len(people), dtype=np.int32)
    bad_email, bad_phone = has_bad_contact(world, everyone)
    registered, carded = everyone[people.registers <= last], everyone[people.gets_card <= last]
    # Phone numbers are in the member extract or on card forms.
    listed = everyone[(people.registers <= last) | (people.gets_card <= last)]
    bad_phone &= people.registers <= last
    parts = [
        # Everyone may see an ad, so everyone has a cookie.
        _generation_rows(world, cookies, state.cookie, everyone, "cookie"),
        _generation_rows(world, devices, state.device, everyone[state.has_used_app], "device"),
        _identifier_rows("member", registered, members(world, registered)),
        _identifier_rows("loyalty_card", carded, cards(world, carded)),
        _identifier_rows("email", registered, emails(world, registered), bad_email[registered]),
        _identifier_rows(
            "phone", listed, phones(world, people, listed), bad_phone[listed], people.in_family[listed]
        ),
    ]
    return pa.concat_tables(parts)


def _generation_rows(world: World, names: Names, generation: Ints, who: Days, kind: str) -> pa.Table:
    n = generation[who].astype(np.int64) + 1
    each = np.repeat(who, n)
    number = np.arange(len(each)) - np.repeat(np.cumsum(n) - n, n)
    return _identifier_rows(kind, each, names(world, each, number.astype(np.int16)))


def _identifier_rows(
    kind: str, person: Days, values: pa.Array, is_wrong: Flags | None = None, is_shared: Flags | None = None
) -> pa.Table:
    n = len(person)
    return pa.table(
        {
            "person": _person_numbers(person),
            "type": pa.array([kind] * n, pa.string()),
            "value": values,
            "is_wrong_in_crm": pa.array(np.zeros(n, bool) if is_wrong is None else is_wrong),
            "is_shared": pa.array(np.zeros(n, bool) if is_shared is None else is_shared),
        }
    )


def _treatments_table(state: State) -> pa.Table:
    """One row per mailing and person, with the arm: treated or control."""
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


def _person_numbers(person: Ints) -> pa.Array:
    return zero_pad(np.maximum(person, 0), 7)


def _date_column(days: Days, known: Flags) -> pa.Array:
    epoch = (date_of(0) - date_of(0).replace(year=1970, month=1, day=1)).days
    return pa.array(np.where(known, days, 0) + epoch, pa.int32(), mask=~known).cast(pa.date32())

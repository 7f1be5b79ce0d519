"""Clicks and receipts as the systems that record them write them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifestage.simulate.identifiers import cards, cookies, devices, kiosks, members
from lifestage.simulate.online import FEATURES, PAGES, TYPES, Browsed, Clicks
from lifestage.simulate.people import N_REGIONS, Flags, Place
from lifestage.simulate.products import CATEGORIES, Products
from lifestage.simulate.state import Lines, State
from lifestage.simulate.store import PEOPLE_A_KIOSK, Shopped
from lifestage.simulate.text import (
    Ints,
    chosen,
    csv_lines,
    hexes,
    instants,
    joined,
    json_lines,
    mixed,
    money,
    padded,
    whole,
)
from lifestage.simulate.visits import Visits
from lifestage.simulate.world import World, date_of, midnight

CAMPAIGNS = ("search", "social", "partner", "direct")
POS_HEADER = "receipt_no,line_no,version,sold_at,store,card_no,product_no,quantity,amount,discount"
TRAFFIC_HEADER = "sensor,hour,entries"
SHELF_HEADER = "sensor,seen_at,category,seconds,device"
AMOUNTS = ("amount", "discount")
CORRECTED = 0.003


def web_lines(state: State, browsed: Browsed, day: int) -> pa.Array:
    """The clickstream of the shop: JSON lines with a cookie, and a member number where somebody is logged in."""
    world, people, products = state.world, state.people, state.products
    visits, clicks = browsed.visits, browsed.clicks
    who = visits.person[clicks.visit]
    names = cookies(world, who, state.cookie[who])
    is_landing = _is_first_of_visit(clicks)
    origin = np.where(is_landing, people.origin[who], -1)
    return json_lines(
        {
            "id": _ids(world, day, Place.WEB, len(clicks)),
            "at": instants(midnight(day) + clicks.second),
            "cookie": names,
            "member": _where(browsed.is_logged_in[clicks.visit], members(world, who)),
            "session": hexes(visits.number[clicks.visit]),
            **_clicked(products, clicks),
            "campaign": chosen(CAMPAIGNS, origin),
        },
        AMOUNTS,
    )


def app_lines(state: State, browsed: Browsed, shopped: Shopped, day: int) -> pa.Array:
    """What the app records: JSON lines with a device, and a member number from registration on.

    Devices in stores, on which whoever comes logs in, have the same app.
    """
    world, people, products = state.world, state.people, state.products
    visits, clicks = browsed.visits, browsed.clicks
    who = visits.person[clicks.visit]
    clicked = json_lines(
        {
            "id": _ids(world, day, Place.APP, len(clicks)),
            "at": instants(midnight(day) + clicks.second),
            "device": devices(world, who, state.device[who]),
            "member": _where(people.registers[who] <= day, members(world, who)),
            "session": hexes(visits.number[clicks.visit]),
            **_clicked(products, clicks),
            "feature": chosen(FEATURES, clicks.feature),
        },
        AMOUNTS,
    )
    return pa.concat_arrays([clicked, _kiosk_lines(world, shopped, day)])


def _kiosk_lines(world: World, shopped: Shopped, day: int) -> pa.Array:
    """Logins on the devices of stores."""
    visits = shopped.visits
    who = visits.person[shopped.at_kiosk]
    n_kiosks = max(world.n_people // PEOPLE_A_KIOSK, 1)
    number = (mixed(world.seed, 12, who, day) % np.uint64(n_kiosks)).astype(np.int64)
    return json_lines(
        {
            "id": joined("K", padded(np.full(len(who), day), 4), padded(np.arange(len(who)), 8)),
            "at": instants(midnight(day) + visits.second[shopped.at_kiosk]),
            "device": kiosks(number),
            "member": members(world, who),
            "session": hexes(visits.number[shopped.at_kiosk]),
            "type": chosen(TYPES, np.full(len(who), TYPES.index("login"), np.int8)),
        }
    )


def pos_lines(state: State, shopped: Shopped, back: Lines, day: int) -> tuple[pa.Array, pa.Array]:
    """Lines of receipts in local time, those that came back, and what is corrected a day later."""
    world, people = state.world, state.people
    sold = shopped.bought
    lines = _receipts(state, sold, shopped.sold_at, shopped.shows_card, day)
    rng = world.rng("pos", day)
    at = rng.integers(9 * 3600, 19 * 3600, len(back))
    returned = _receipts(state, back, at, people.gets_card[back.person] <= day, day, "R")
    wrong = rng.random(len(sold)) < CORRECTED
    cheaper = sold.of(wrong)
    cheaper.cents[:] = cheaper.cents * 9 // 10
    corrected = _receipts(state, cheaper, shopped.sold_at[wrong], shopped.shows_card[wrong], day, version=2)
    return pa.concat_arrays([lines, returned]), corrected


def traffic_lines(state: State, visits: Visits) -> pa.Array:
    """How many came through each door in each hour; nobody is known by it."""
    people = state.people
    spot = people.region[visits.person].astype(np.int64) * 24 + visits.second // 3600
    entries = np.bincount(spot, minlength=N_REGIONS * 24)
    seen = np.flatnonzero(entries)
    return csv_lines(
        {
            "sensor": joined("door-", padded(seen // 24, 2)),
            "hour": whole(seen % 24),
            "entries": whole(entries[seen]),
        }
    )


def shelf_lines(state: State, shopped: Shopped, day: int) -> pa.Array:
    """Who stood how long at a shelf: a device where the app was on, else nobody."""
    visits = shopped.visits
    world, people = state.world, state.people
    who = visits.person[shopped.dwells]
    has_app = state.has_used_app[who] & (mixed(world.seed, 13, who, day) % np.uint64(2) == 0)
    return csv_lines(
        {
            "sensor": joined("shelf-", padded(people.region[who], 2), "-", padded(np.arange(len(who)), 6)),
            "seen_at": _local(day, visits.second[shopped.dwells] + 240),
            "category": chosen(CATEGORIES, shopped.shelf),
            "seconds": whole(shopped.dwelt),
            "device": _where(has_app, devices(world, who, state.device[who])),
        }
    )


def _clicked(products: Products, clicks: Clicks) -> dict[str, pa.Array]:
    """What a click was about."""
    order = joined("O", hexes(clicks.order))
    is_sale = clicks.line > 0
    return {
        "type": chosen(TYPES, clicks.type),
        "page": chosen(PAGES, clicks.page),
        "product": products.names().take(pa.array(np.maximum(clicks.product, 0), mask=clicks.product < 0)),
        "order": _where(is_sale, order),
        "amount": money(clicks.cents),
        "discount": money(clicks.discount),
        "quantity": pa.array(np.ones(len(clicks), np.int8), mask=~is_sale),
    }


def _receipts(
    state: State, lines: Lines, second: Ints, shows: Flags, day: int, letter: str = "B", version: int = 1
) -> pa.Array:
    world, people, products = state.world, state.people, state.products
    who = lines.person
    return csv_lines(
        {
            "receipt_no": joined(letter, hexes(lines.order)),
            "line_no": whole(lines.line),
            "version": whole(np.full(len(lines), version, np.int8)),
            "sold_at": _local(day, second),
            "store": joined("S", padded(people.region[who], 2)),
            "card_no": _where(shows, cards(world, who)),
            "product_no": products.names().take(pa.array(lines.product)),
            "quantity": whole(np.where(lines.cents < 0, -1, 1)),
            "amount": money(lines.cents),
            "discount": money(lines.discount),
        }
    )


def _ids(world: World, day: int, place: Place, n: int) -> pa.Array:
    return hexes(mixed(world.seed, 11, int(place), day, np.arange(n)))


def _is_first_of_visit(clicks: Clicks) -> Flags:
    found: Flags = np.diff(clicks.visit, prepend=-1) != 0
    return found


def _where(keep: Flags, texts: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(keep), texts, None)


def _local(day: int, second: Ints) -> pa.Array:
    """Local time without a zone, as tills write it."""
    of_day = pa.array(np.asarray(second, np.int64)).cast(pa.timestamp("s")).cast(pa.string())
    return joined(str(date_of(day)), pc.utf8_slice_codeunits(of_day, 10))

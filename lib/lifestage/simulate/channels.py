"""Clicks, receipts and sensor data in the formats of the systems that record them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifestage.simulate.identifiers import cards, cookies, devices, kiosks, members
from lifestage.simulate.online import FEATURES, PAGES, TYPES, Clicks, OnlineVisits
from lifestage.simulate.people import N_REGIONS, Flags, Place
from lifestage.simulate.products import CATEGORIES, Products
from lifestage.simulate.state import BasketLines, State
from lifestage.simulate.store import PEOPLE_A_KIOSK, StoreVisits
from lifestage.simulate.text import (
    Ints,
    concat_text,
    format_hex,
    format_instants,
    format_integers,
    format_money,
    hash_parts,
    pick_names,
    to_csv_lines,
    to_json_lines,
    zero_pad,
)
from lifestage.simulate.visits import Visits
from lifestage.simulate.world import World, date_of, midnight

CAMPAIGNS = ("search", "social", "partner", "direct")
POS_HEADER = "receipt_no,line_no,version,sold_at,store,card_no,product_no,quantity,amount,discount"
TRAFFIC_HEADER = "sensor,hour,entries"
SHELF_HEADER = "sensor,seen_at,category,seconds,device"
AMOUNTS = ("amount", "discount")
CORRECTED = 0.003


def web_lines(state: State, browsed: OnlineVisits, day: int) -> pa.Array:
    """Build the clickstream of the web shop: JSON lines with a cookie, and a member number if logged in."""
    world, people, products = state.world, state.people, state.products
    visits, clicks = browsed.visits, browsed.clicks
    who = visits.person[clicks.visit]
    names = cookies(world, who, state.cookie[who])
    is_landing = np.diff(clicks.visit, prepend=-1) != 0
    origin = np.where(is_landing, people.origin[who], -1)
    return to_json_lines(
        {
            "id": _ids(world, day, Place.WEB, len(clicks)),
            "at": format_instants(midnight(day) + clicks.second),
            "cookie": names,
            "member": _null_unless(browsed.is_logged_in[clicks.visit], members(world, who)),
            "session": format_hex(visits.number[clicks.visit]),
            **_click_columns(products, clicks),
            "campaign": pick_names(CAMPAIGNS, origin),
        },
        AMOUNTS,
    )


def app_lines(state: State, browsed: OnlineVisits, shopped: StoreVisits, day: int) -> pa.Array:
    """Build the app's clickstream: JSON lines with a device, and a member number from registration on.

    Shared devices in stores run the same app, so their logins are included.
    """
    world, people, products = state.world, state.people, state.products
    visits, clicks = browsed.visits, browsed.clicks
    who = visits.person[clicks.visit]
    clicked = to_json_lines(
        {
            "id": _ids(world, day, Place.APP, len(clicks)),
            "at": format_instants(midnight(day) + clicks.second),
            "device": devices(world, who, state.device[who]),
            "member": _null_unless(people.registers[who] <= day, members(world, who)),
            "session": format_hex(visits.number[clicks.visit]),
            **_click_columns(products, clicks),
            "feature": pick_names(FEATURES, clicks.feature),
        },
        AMOUNTS,
    )
    return pa.concat_arrays([clicked, _kiosk_lines(world, shopped, day)])


def _kiosk_lines(world: World, shopped: StoreVisits, day: int) -> pa.Array:
    """Build the logins on shared devices in stores."""
    visits = shopped.visits
    who = visits.person[shopped.at_kiosk]
    n_kiosks = max(world.n_people // PEOPLE_A_KIOSK, 1)
    number = (hash_parts(world.seed, 12, who, day) % np.uint64(n_kiosks)).astype(np.int64)
    return to_json_lines(
        {
            "id": concat_text("K", zero_pad(np.full(len(who), day), 4), zero_pad(np.arange(len(who)), 8)),
            "at": format_instants(midnight(day) + visits.second[shopped.at_kiosk]),
            "device": kiosks(number),
            "member": members(world, who),
            "session": format_hex(visits.number[shopped.at_kiosk]),
            "type": pick_names(TYPES, np.full(len(who), TYPES.index("login"), np.int8)),
        }
    )


def pos_lines(state: State, shopped: StoreVisits, back: BasketLines, day: int) -> tuple[pa.Array, pa.Array]:
    """Build receipt lines in local time, sales and returns, and the corrections that arrive a day later."""
    world, people = state.world, state.people
    sold = shopped.bought
    lines = _receipt_lines(state, sold, shopped.sold_at, shopped.shows_card, day)
    rng = world.rng("pos", day)
    at = rng.integers(9 * 3600, 19 * 3600, len(back))
    returned = _receipt_lines(state, back, at, people.gets_card[back.person] <= day, day, "R")
    wrong = rng.random(len(sold)) < CORRECTED
    cheaper = sold.filter(wrong)
    cheaper.cents[:] = cheaper.cents * 9 // 10
    corrected = _receipt_lines(
        state, cheaper, shopped.sold_at[wrong], shopped.shows_card[wrong], day, version=2
    )
    return pa.concat_arrays([lines, returned]), corrected


def traffic_lines(state: State, visits: Visits) -> pa.Array:
    """Count the entries per door and hour; the rows name no person."""
    people = state.people
    spot = people.region[visits.person].astype(np.int64) * 24 + visits.second // 3600
    entries = np.bincount(spot, minlength=N_REGIONS * 24)
    seen = np.flatnonzero(entries)
    return to_csv_lines(
        {
            "sensor": concat_text("door-", zero_pad(seen // 24, 2)),
            "hour": format_integers(seen % 24),
            "entries": format_integers(entries[seen]),
        }
    )


def shelf_lines(state: State, shopped: StoreVisits, day: int) -> pa.Array:
    """Build the dwell times at shelves, with a device if the app was on."""
    visits = shopped.visits
    world, people = state.world, state.people
    who = visits.person[shopped.dwells]
    has_app = state.has_used_app[who] & (hash_parts(world.seed, 13, who, day) % np.uint64(2) == 0)
    return to_csv_lines(
        {
            "sensor": concat_text(
                "shelf-", zero_pad(people.region[who], 2), "-", zero_pad(np.arange(len(who)), 6)
            ),
            "seen_at": _format_local(day, visits.second[shopped.dwells] + 240),
            "category": pick_names(CATEGORIES, shopped.shelf),
            "seconds": format_integers(shopped.dwelt),
            "device": _null_unless(has_app, devices(world, who, state.device[who])),
        }
    )


def _click_columns(products: Products, clicks: Clicks) -> dict[str, pa.Array]:
    """Return the columns that web and app clicks share."""
    order = concat_text("O", format_hex(clicks.order))
    is_sale = clicks.line > 0
    return {
        "type": pick_names(TYPES, clicks.type),
        "page": pick_names(PAGES, clicks.page),
        "product": products.numbers().take(pa.array(np.maximum(clicks.product, 0), mask=clicks.product < 0)),
        "order": _null_unless(is_sale, order),
        "amount": format_money(clicks.cents),
        "discount": format_money(clicks.discount),
        "quantity": pa.array(np.ones(len(clicks), np.int8), mask=~is_sale),
    }


def _receipt_lines(
    state: State,
    lines: BasketLines,
    second: Ints,
    shows: Flags,
    day: int,
    letter: str = "B",
    version: int = 1,
) -> pa.Array:
    world, people, products = state.world, state.people, state.products
    who = lines.person
    return to_csv_lines(
        {
            "receipt_no": concat_text(letter, format_hex(lines.order)),
            "line_no": format_integers(lines.line),
            "version": format_integers(np.full(len(lines), version, np.int8)),
            "sold_at": _format_local(day, second),
            "store": concat_text("S", zero_pad(people.region[who], 2)),
            "card_no": _null_unless(shows, cards(world, who)),
            "product_no": products.numbers().take(pa.array(lines.product)),
            "quantity": format_integers(np.where(lines.cents < 0, -1, 1)),
            "amount": format_money(lines.cents),
            "discount": format_money(lines.discount),
        }
    )


def _ids(world: World, day: int, place: Place, n: int) -> pa.Array:
    return format_hex(hash_parts(world.seed, 11, int(place), day, np.arange(n)))


def _null_unless(keep: Flags, texts: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(keep), texts, None)


def _format_local(day: int, second: Ints) -> pa.Array:
    """Format seconds of a day as local time without a zone, as tills do."""
    of_day = pa.array(np.asarray(second, np.int64)).cast(pa.timestamp("s")).cast(pa.string())
    return concat_text(str(date_of(day)), pc.utf8_slice_codeunits(of_day, 10))

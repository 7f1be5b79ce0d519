"""Back-office operations: deliveries and returns of orders, and stock by region."""

import numpy as np
import pyarrow as pa

from lifestage.simulate.crm import CITIES
from lifestage.simulate.identifiers import members
from lifestage.simulate.people import N_REGIONS, Days
from lifestage.simulate.products import CATEGORIES
from lifestage.simulate.state import BasketLines, State
from lifestage.simulate.text import (
    concat_text,
    format_hex,
    format_instants,
    format_integers,
    format_money,
    pick_names,
    to_csv_lines,
)
from lifestage.simulate.world import Case, World, date_of, midnight

DELIVERY_HEADER = "order_no,member_no,region,status,at"
RETURNS_HEADER = "order_no,line_no,member_no,product_no,amount,at"
STOCK_HEADER = "day,region,category,units,missing"
ARRIVES, ARRIVES_MESSY = 0.96, 0.52
DELIVERED_AFTER = range(1, 5)


def schedule_deliveries(state: State, bought: BasketLines, day: int) -> None:
    """Schedule one delivery per order, some days later, for members only."""
    world, people = state.world, state.people
    rng = world.rng("sent", day)
    orders = bought.filter((bought.line == 1) & (people.registers[bought.person] <= day))
    state.delivered.add(rng, orders, day, DELIVERED_AFTER)


def delivery_lines(state: State, day: int) -> tuple[pa.Array, Days]:
    """Build the deliveries of a day, and return the people whose delivery failed."""
    world, people = state.world, state.people
    rng = world.rng("deliveries", day)
    orders = state.delivered.pop(day)
    who = orders.person
    chance = np.where(people.is_messy[who] & world.has(Case.MESSY_ADDRESSES), ARRIVES_MESSY, ARRIVES)
    arrives = rng.random(len(who)) < chance
    lines = to_csv_lines(
        {
            "order_no": concat_text("O", format_hex(orders.order)),
            "member_no": members(world, who),
            "region": pick_names(CITIES, people.region[who]),
            "status": pick_names(["failed", "delivered"], arrives.astype(np.int8)),
            "at": format_instants(midnight(day) + rng.integers(8 * 3600, 20 * 3600, len(who))),
        }
    )
    return lines, who[~arrives]


def return_lines(state: State, back: BasketLines, day: int) -> pa.Array:
    """Build the order lines that were sent back."""
    world, products = state.world, state.products
    rng = world.rng("sent back", day)
    return to_csv_lines(
        {
            "order_no": concat_text("O", format_hex(back.order)),
            "line_no": format_integers(back.line),
            "member_no": members(world, back.person),
            "product_no": products.numbers().take(pa.array(back.product)),
            "amount": format_money(back.cents),
            "at": format_instants(midnight(day) + rng.integers(8 * 3600, 18 * 3600, len(back))),
        }
    )


def stock_lines(world: World, day: int) -> pa.Array:
    """Build the stock at the end of a day: units per region and category, and units requested but missing."""
    rng = world.rng("stock", day)
    n = N_REGIONS * len(CATEGORIES)
    spot = np.arange(n)
    units = rng.poisson(120, n)
    return to_csv_lines(
        {
            "day": pa.array([str(date_of(day))] * n),
            "region": pick_names(CITIES, spot // len(CATEGORIES)),
            "category": pick_names(CATEGORIES, spot % len(CATEGORIES)),
            "units": format_integers(units),
            "missing": format_integers(np.where(units < 100, rng.poisson(3, n), 0)),
        }
    )

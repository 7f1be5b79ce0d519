"""What happens behind the shop: deliveries of orders, and stock by region."""

import numpy as np
import pyarrow as pa

from lifestage.simulate.crm import CITIES
from lifestage.simulate.identifiers import members
from lifestage.simulate.people import N_REGIONS, Days
from lifestage.simulate.products import CATEGORIES
from lifestage.simulate.state import Lines, State
from lifestage.simulate.text import chosen, csv_lines, hexes, instants, joined, money, whole
from lifestage.simulate.world import Case, World, date_of, midnight

DELIVERY_HEADER = "order_no,member_no,region,status,at"
RETURNS_HEADER = "order_no,line_no,member_no,product_no,amount,at"
STOCK_HEADER = "day,region,category,units,missing"
ARRIVES, ARRIVES_MESSY = 0.96, 0.52
DELIVERED_AFTER = range(1, 5)


def remember_deliveries(state: State, bought: Lines, day: int) -> None:
    """One delivery an order, some days later; only members have things sent to them."""
    world, people = state.world, state.people
    rng = world.rng("sent", day)
    orders = bought.of((bought.line == 1) & (people.registers[bought.person] <= day))
    state.delivered.put(rng, orders, day, DELIVERED_AFTER)


def delivery_lines(state: State, day: int) -> tuple[pa.Array, Days]:
    """Deliveries of a day, and whose did not arrive."""
    world, people = state.world, state.people
    rng = world.rng("deliveries", day)
    orders = state.delivered.take(day)
    who = orders.person
    chance = np.where(people.is_messy[who] & world.has(Case.MESSY_ADDRESSES), ARRIVES_MESSY, ARRIVES)
    arrives = rng.random(len(who)) < chance
    lines = csv_lines(
        {
            "order_no": joined("O", hexes(orders.order)),
            "member_no": members(world, who),
            "region": chosen(CITIES, people.region[who]),
            "status": chosen(["failed", "delivered"], arrives.astype(np.int8)),
            "at": instants(midnight(day) + rng.integers(8 * 3600, 20 * 3600, len(who))),
        }
    )
    return lines, who[~arrives]


def return_lines(state: State, back: Lines, day: int) -> pa.Array:
    """Lines of orders that were sent back."""
    world, products = state.world, state.products
    rng = world.rng("sent back", day)
    return csv_lines(
        {
            "order_no": joined("O", hexes(back.order)),
            "line_no": whole(back.line),
            "member_no": members(world, back.person),
            "product_no": products.names().take(pa.array(back.product)),
            "amount": money(back.cents),
            "at": instants(midnight(day) + rng.integers(8 * 3600, 18 * 3600, len(back))),
        }
    )


def stock_lines(world: World, day: int) -> pa.Array:
    """Units of each category in each region at the end of a day, and how many were asked for and missing."""
    rng = world.rng("stock", day)
    n = N_REGIONS * len(CATEGORIES)
    spot = np.arange(n)
    units = rng.poisson(120, n)
    return csv_lines(
        {
            "day": pa.array([str(date_of(day))] * n),
            "region": chosen(CITIES, spot // len(CATEGORIES)),
            "category": chosen(CATEGORIES, spot % len(CATEGORIES)),
            "units": whole(units),
            "missing": whole(np.where(units < 100, rng.poisson(3, n), 0)),
        }
    )

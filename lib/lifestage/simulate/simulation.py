"""Simulate a world day by day, and write one file per day and system."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa

from lifestage.simulate import channels, crm, marketing, operations, voices
from lifestage.simulate.baskets import pick_returns
from lifestage.simulate.faults import FaultInjector
from lifestage.simulate.online import browse
from lifestage.simulate.people import Place
from lifestage.simulate.products import CATEGORIES, Products
from lifestage.simulate.state import BasketLines, State, initial_state
from lifestage.simulate.store import shop
from lifestage.simulate.text import format_money, pick_names, to_csv_lines
from lifestage.simulate.truth import write_truth
from lifestage.simulate.visits import draw_visits
from lifestage.simulate.world import World, date_of

# Days after the sale on which a line may be returned.
BACK_AFTER = range(2, 21)
PRODUCTS_HEADER = "product_no,category,price,launched_on"
# Header of each system's CSV files; a system without one writes JSON lines.
SYSTEMS = {
    "web": "",
    "app": "",
    "pos": channels.POS_HEADER,
    "traffic": channels.TRAFFIC_HEADER,
    "shelves": channels.SHELF_HEADER,
    "products": PRODUCTS_HEADER,
    "members": crm.MEMBERS_HEADER,
    "cards": crm.CARDS_HEADER,
    "ads": marketing.ADS_HEADER,
    "spend": marketing.SPEND_HEADER,
    "messages": marketing.MESSAGES_HEADER,
    "reviews": "",
    "surveys": voices.SURVEY_HEADER,
    "tickets": voices.TICKETS_HEADER,
    "referrals": "",
    "deliveries": operations.DELIVERY_HEADER,
    "returns": operations.RETURNS_HEADER,
    "stock": operations.STOCK_HEADER,
}
# Nightly extracts of a table arrive complete or not at all.
WITHOUT_FAULTS = {"products", "traffic", "members", "cards", "spend", "stock"}


def simulate(world: World, folder: Path, on_day_done: Callable[[int], object] = lambda _: None) -> int:
    """Write every file of a world to a new folder, and return the number of rows before faults.

    Args:
        world: Parameters of the world.
        folder: Gets a folder for each system, with one file per day that has rows, and `truth`.
        on_day_done: Is called with the number of each finished day.

    Raises:
        FileExistsError: if the folder exists. If anything else fails, the folder is removed.

    Example: simulate(make_world(1_000, seed=7, n_days=30), Path("out/world"))
    """
    folder.mkdir(parents=True)
    try:
        state = initial_state(world)
        faults = FaultInjector(world)
        _write_file(
            folder, "products", 0, faults.build_clean_file("products", _product_lines(state.products))
        )
        for day in range(world.n_days):
            for system, (lines, corrected) in _simulate_day(state, day).items():
                if system in WITHOUT_FAULTS:
                    content = faults.build_clean_file(system, lines)
                else:
                    content = faults.build_file(system, day, lines, corrected)
                _write_file(folder, system, day, content)
            on_day_done(day)
        for system in SYSTEMS:
            for day, content in faults.flush(system).items():
                _write_file(folder, system, day, content)
        write_truth(state, faults, folder / "truth")
    except BaseException:
        shutil.rmtree(folder)
        raise
    return sum(counts["n_good"] for counts in faults.counts.values())


def _simulate_day(state: State, day: int) -> dict[str, tuple[pa.Array, pa.Array | None]]:
    """Return the lines that a day adds to each system, and the corrections of them that arrive later."""
    # Coupons arrive in the morning, before the visits that they influence.
    lines = {"messages": marketing.send_coupons(state, day)}
    visits = draw_visits(state, day)
    web, app, store = (visits[place] for place in Place)
    on_web, in_app = browse(state, web, Place.WEB, day), browse(state, app, Place.APP, day)
    shopped = shop(state, store, day)
    receipts, corrected = channels.pos_lines(state, shopped, state.returned_to_store.pop(day), day)
    lines |= {
        "web": channels.web_lines(state, on_web, day),
        "app": channels.app_lines(state, in_app, shopped, day),
        "traffic": channels.traffic_lines(state, store),
        "shelves": channels.shelf_lines(state, shopped, day),
        "referrals": voices.referral_lines(state, on_web, day),
    }
    lines["ads"], lines["spend"] = marketing.ad_lines(state, web, day)
    lines["deliveries"], undelivered = operations.delivery_lines(state, day)
    lines |= {
        "members": crm.member_lines(state, day),
        "cards": crm.card_lines(state, day),
        "reviews": voices.review_lines(state, day),
        "surveys": voices.survey_lines(state, day),
        "tickets": voices.ticket_lines(state, undelivered, day),
        "returns": operations.return_lines(state, state.returned_by_mail.pop(day), day),
        "stock": operations.stock_lines(state.world, day),
    }
    _schedule_follow_ups(state, (on_web.bought, in_app.bought), shopped.bought, day)
    return {"pos": (receipts, corrected), **{system: (each, None) for system, each in lines.items()}}


def _schedule_follow_ups(state: State, orders: Iterable[BasketLines], sold: BasketLines, day: int) -> None:
    """Schedule what purchases lead to: deliveries, reviews and returns."""
    rng = state.world.rng("returns", day)
    state.returned_to_store.add(rng, pick_returns(rng, sold), day, BACK_AFTER)
    for bought in orders:
        operations.schedule_deliveries(state, bought, day)
        voices.schedule_reviews(state, bought, day)
        of_members = bought.filter(state.people.registers[bought.person] <= day)
        state.returned_by_mail.add(rng, pick_returns(rng, of_members), day, BACK_AFTER)


def _product_lines(products: Products) -> pa.Array:
    return to_csv_lines(
        {
            "product_no": products.numbers(),
            "category": pick_names(CATEGORIES, products.category),
            "price": format_money(products.cents),
            "launched_on": pa.array([str(date_of(int(day))) for day in products.launched]),
        }
    )


def _write_file(folder: Path, system: str, day: int, content: bytes) -> None:
    """Write a file with its header; a day without rows gets no file."""
    if content:
        header = SYSTEMS[system]
        file = folder / system / f"{system}_{date_of(day)}.{'csv' if header else 'jsonl'}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((f"{header}\n" if header else "").encode() + content)

"""Make a world: day by day, one file a day and system."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa

from lifestage.simulate import channels, crm, marketing, operations, voices
from lifestage.simulate.baskets import taken_back
from lifestage.simulate.faults import Post
from lifestage.simulate.online import browse
from lifestage.simulate.people import Place
from lifestage.simulate.products import CATEGORIES, Products
from lifestage.simulate.state import Lines, State, state_of
from lifestage.simulate.store import shop
from lifestage.simulate.text import chosen, csv_lines, money
from lifestage.simulate.truth import write_truth
from lifestage.simulate.visits import visits_on
from lifestage.simulate.world import World, date_of

# Days after which something comes back.
BACK_AFTER = range(2, 21)
PRODUCTS_HEADER = "product_no,category,price,launched_on"
# Each system with the header of its CSV; those without one write JSON lines.
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
# What is made at night from a table comes whole, or not at all.
WITHOUT_FAULTS = {"products", "traffic", "members", "cards", "spend", "stock"}


def simulate(world: World, folder: Path, told: Callable[[int], object] = lambda _: None) -> int:
    """Write every file of a world below a folder that is not there yet; the number of rows in them.

    Args:
        world: what is made.
        folder: gets a folder for each system, with one file a day, and `truth`.
        told: is called with each day that is done.

    Raises:
        FileExistsError: where the folder exists. Nothing is left of a world that could not be finished.
    """
    folder.mkdir(parents=True)
    try:
        return _live(state_of(world), folder, told)
    except BaseException:
        shutil.rmtree(folder)
        raise


def _live(state: State, folder: Path, told: Callable[[int], object]) -> int:
    post = Post(state.world)
    _write(folder, "products", 0, post.whole("products", _product_lines(state.products)))
    for day in range(state.world.n_days):
        for system, (lines, corrected) in _day(state, day).items():
            if system in WITHOUT_FAULTS:
                octets = post.whole(system, lines)
            else:
                octets = post.deliver(system, day, lines, corrected)
            _write(folder, system, day, octets)
        told(day)
    for system in SYSTEMS:
        for day, octets in post.remainder(system).items():
            _write(folder, system, day, octets)
    write_truth(state, post, folder / "truth")
    return sum(counts["n_good"] for counts in post.counts.values())


def _day(state: State, day: int) -> dict[str, tuple[pa.Array, pa.Array | None]]:
    """The lines of each system that a day leaves, and those that it will correct."""
    # The coupon is there in the morning.
    lines = {"messages": marketing.mail(state, day)}
    visits = visits_on(state, day)
    web, app, store = (visits[place] for place in Place)
    on_web, in_app = browse(state, web, Place.WEB, day), browse(state, app, Place.APP, day)
    shopped = shop(state, store, day)
    receipts, corrected = channels.pos_lines(state, shopped, state.returned_to_store.take(day), day)
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
        "returns": operations.return_lines(state, state.returned_by_mail.take(day), day),
        "stock": operations.stock_lines(state.world, day),
    }
    _remember(state, (on_web.bought, in_app.bought), shopped.bought, day)
    return {"pos": (receipts, corrected), **{system: (each, None) for system, each in lines.items()}}


def _remember(state: State, orders: Iterable[Lines], sold: Lines, day: int) -> None:
    """What follows from purchases: a delivery, perhaps a review, perhaps something comes back."""
    rng = state.world.rng("returns", day)
    state.returned_to_store.put(rng, taken_back(rng, sold), day, BACK_AFTER)
    for bought in orders:
        operations.remember_deliveries(state, bought, day)
        voices.remember_reviews(state, bought, day)
        of_members = bought.of(state.people.registers[bought.person] <= day)
        state.returned_by_mail.put(rng, taken_back(rng, of_members), day, BACK_AFTER)


def _product_lines(products: Products) -> pa.Array:
    return csv_lines(
        {
            "product_no": products.names(),
            "category": chosen(CATEGORIES, products.category),
            "price": money(products.cents),
            "launched_on": pa.array([str(date_of(int(day))) for day in products.launched]),
        }
    )


def _write(folder: Path, system: str, day: int, octets: bytes) -> None:
    """A day without rows has no file."""
    if octets:
        header = SYSTEMS[system]
        file = folder / system / f"{system}_{date_of(day)}.{'csv' if header else 'jsonl'}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((f"{header}\n" if header else "").encode() + octets)

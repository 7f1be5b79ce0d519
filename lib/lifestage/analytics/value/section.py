"""The section of the report on value."""

from collections.abc import Iterator

from lifestage.analytics.value.section_data import ValueData, cells, equations, read
from lifestage.analytics.value.section_figures import render, select_shares
from lifestage.platform.reporting.disclosure import BUYERS, Disclosure
from lifestage.platform.reporting.grids import Tile
from lifestage.platform.reporting.section import Section, Sentence, Summary
from lifestage.platform.reporting.words import WITHHELD, Words
from lifestage.users.identity.movement import READS

BEST = 10


def summarize(data: ValueData, seen: Disclosure, words: Words) -> Summary:
    """The number of buyers with their spend, and the spend of the best ones."""
    return Summary((_buyers_tile(data, seen, words),), tuple(_best_buyers(data, seen, words)))


def _buyers_tile(data: ValueData, seen: Disclosure, words: Words) -> Tile:
    scored = [count for count in data.rfm if count.r_score is not None]
    spent = words.short_money(sum(count.amount for count in scored))
    n = sum(count.n_users for count in scored)
    about = words("tile.buyers_about", period=data.period) if data.period else words("tile.buyers_none")
    if BUYERS not in seen:
        return Tile(words("tile.buyers"), WITHHELD, (about,))
    lines = (about, words("tile.spent", amount=spent)) if n else (about,)
    return Tile(words("tile.buyers"), words.count(n), lines)


def _best_buyers(data: ValueData, seen: Disclosure, words: Words) -> Iterator[Sentence]:
    best = next((top for top in select_shares(data, seen) if top.percent == BEST), None)
    whole = data.top_shares[-1].amount if data.top_shares else 0
    if best and whole > 0:
        values = {
            "share": words.share(best.amount, whole),
            "best": words.share(BEST, 100, 0),
            "amount": words.short_money(best.amount),
        }
        yield Sentence(words("summary.value", n=best.n_users, **values), "concentration-chart")


SECTION = Section(
    key="value",
    place=20,
    reads=("value_totals", "spend_shares", "value_scales", "user_value", *READS),
    texts="analytics/value/texts",
    read=read,
    render=render,
    cells=cells,
    equations=equations,
    summary=summarize,
)

"""The tables of the value section on recency and frequency."""

from decimal import Decimal

from lifestage.analytics.value.section_data import NAME, RFM, ValueData
from lifestage.platform.reporting.disclosure import Disclosure
from lifestage.platform.reporting.grids import HIDDEN, Cell, Column, Grid, Look, columns, figure, text
from lifestage.platform.reporting.words import Words

SCORES = (1, 2, 3, 4, 5)


def rfm_map(data: ValueData, seen: Disclosure, words: Words) -> Grid | None:
    """Users by recency and frequency, with the name and share of each cell; None without scored users."""
    if not data.scored:
        return None
    shown = [count.n_users for place, count in data.scored.items() if (RFM, *place) in seen]
    most = max(shown, default=0) or 1
    rows = []
    for r in reversed(SCORES):
        cells = [_map_cell(data, seen, (r, f), most, words) for f in SCORES]
        rows.append((Cell(f"R {r}", below=words(f"value.r{r}") if r in (1, 5) else ""), *cells))
    heads = (
        *columns(words, "rf"),
        *[Column(f"F {f}" + (f", {words(f'value.f{f}')}" if f in (1, 5) else "")) for f in SCORES],
    )
    return Grid(words("value.rfm_map", date=words.day(data.as_of)), heads, tuple(rows), layout="map")


def _map_cell(data: ValueData, seen: Disclosure, place: tuple[int, int], most: int, words: Words) -> Cell:
    name = words.translate(data.name_of(*place)) if data.has_variety else ""
    n = data.scored[place].n_users if place in data.scored else 0
    if n and (RFM, *place) not in seen:
        return Cell(HIDDEN.text, Look.NUMBER, above=name)
    everyone = sum(count.n_users for count in data.scored.values())
    return Cell(words.count(n), Look.NUMBER, above=name, below=words.share(n, everyone), heat=n / most)


def rfm_names(data: ValueData, seen: Disclosure, words: Words) -> Grid | None:
    """Users and spend by the name of the cell."""
    totals = _sum_by_name(data)
    everyone = sum(users for users, _ in totals.values())
    rows = [
        (
            text(words.translate(name)),
            figure(words.count(users), (NAME, name) in seen),
            figure(words.share(users, everyone), (NAME, name) in seen),
            figure(words.money(amount), (NAME, name) in seen),
            figure(words.price(amount / users), (NAME, name) in seen),
        )
        for name, (users, amount) in sorted(totals.items(), key=lambda item: (-item[1][0], item[0]))
    ]
    heads = columns(words, "rfm_name", "users", "share", "spend", "spend_per_user", period=data.period)
    return Grid(words("value.rfm_names"), heads, tuple(rows), is_folded=True) if rows else None


def _sum_by_name(data: ValueData) -> dict[str, tuple[int, Decimal]]:
    totals: dict[str, tuple[int, Decimal]] = {}
    for place, count in data.scored.items():
        name = data.name_of(*place)
        users, amount = totals.get(name, (0, Decimal()))
        totals[name] = (users + count.n_users, amount + count.amount)
    return totals

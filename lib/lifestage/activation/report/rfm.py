"""What the page says about recency and frequency."""

from collections.abc import Mapping
from decimal import Decimal

from lifestage.activation.report.content import ReportData
from lifestage.platform.reporting.grids import HIDDEN, Cell, Column, Grid, Look, columns, figure, text
from lifestage.platform.reporting.words import Words

SCORES = (1, 2, 3, 4, 5)
Place = tuple[int, int]


def rfm_map(data: ReportData, words: Words) -> Grid | None:
    """Users by recency and frequency, with the name and share of each cell; None where nobody is scored."""
    users = _users(data)
    if not users:
        return None
    most = max((n for cell, n in users.items() if ("rfm", *cell) in data.seen), default=0) or 1
    rows = []
    for r in reversed(SCORES):
        cells = [_map_cell(data, users, (r, f), most, words) for f in SCORES]
        rows.append((Cell(f"R {r}", below=words(f"value.r{r}") if r in (1, 5) else ""), *cells))
    heads = (
        *columns(words, "rf"),
        *[Column(f"F {f}" + (f", {words(f'value.f{f}')}" if f in (1, 5) else "")) for f in SCORES],
    )
    return Grid(words("value.rfm_map", date=words.day(data.header.as_of)), heads, tuple(rows), layout="map")


def rfm_names(data: ReportData, words: Words) -> Grid | None:
    """Users and spend by the name of the cell."""
    totals = _totals(data)
    everyone = sum(users for users, _ in totals.values())
    rows = [
        (
            text(words.translate(name)),
            figure(words.count(users), ("name", name) in data.seen),
            figure(words.share(users, everyone), ("name", name) in data.seen),
            figure(words.money(amount), ("name", name) in data.seen),
            figure(words.price(amount / users), ("name", name) in data.seen),
        )
        for name, (users, amount) in sorted(totals.items(), key=lambda item: (-item[1][0], item[0]))
    ]
    heads = columns(words, "rfm_name", "users", "share", "spend", "spend_per_user", period=data.period)
    return Grid(words("value.rfm_names"), heads, tuple(rows), is_folded=True) if rows else None


def _users(data: ReportData) -> dict[Place, int]:
    return {
        (c.r_score, c.f_score): c.n_users for c in data.rfm if c.r_score is not None and c.f_score is not None
    }


def _map_cell(
    data: ReportData,
    users: Mapping[Place, int],
    cell: Place,
    most: int,
    words: Words,
) -> Cell:
    n, name = users.get(cell, 0), words.translate(data.name_of(*cell))
    if n and ("rfm", *cell) not in data.seen:
        return Cell(HIDDEN.text, Look.NUMBER, above=name)
    return Cell(
        words.count(n), Look.NUMBER, above=name, below=words.share(n, sum(users.values())), heat=n / most
    )


def _totals(data: ReportData) -> dict[str, tuple[int, Decimal]]:
    totals: dict[str, tuple[int, Decimal]] = {}
    for c in data.rfm:
        if c.r_score is not None and c.f_score is not None:
            name = data.name_of(c.r_score, c.f_score)
            users, amount = totals.get(name, (0, Decimal()))
            totals[name] = (users + c.n_users, amount + c.amount)
    return totals

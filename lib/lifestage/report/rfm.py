"""What the page says about recency, frequency and spend."""

from collections.abc import Sequence
from decimal import Decimal

from lifestage.report.content import ReportData, RfmCount
from lifestage.report.grids import Cell, Grid, Look, Section, count, money, number, share, text, unplaced

SCORES = (1, 2, 3, 4, 5)
ROW_NOTES = {5: "most recent", 1: "longest ago"}
COLUMN_NAMES = {1: "F 1, rarest", 5: "F 5, most often"}
NOT_SCORED = {
    "not_scored": "without a purchase in the period: not scored",
    "insufficient_data": "not scored: too few buyers or too short a history",
}


def rfm_section(data: ReportData) -> Section:
    """The R x F map of the newest date, and its names in numbers."""
    scored = [c for c in data.rfm if c.r_score is not None and c.f_score is not None]
    definition = (
        f"Buyers of {period_of(data)} by how recently (R) and how often (F) they bought, each scored "
        "1 to 5 with 5 best. A deeper shade holds more of them. Spend is a value of its own, not part of the name."
    )
    notes = _notes(data)
    if not scored:
        return Section("rfm", "Recency and frequency", definition, notes)
    grids = (_rfm_map(data, scored),)
    return Section(
        "rfm", "Recency and frequency", definition, notes, grids=grids, folded=(_rfm_names(data, scored),)
    )


def period_of(data: ReportData) -> str:
    """The period that RFM looks at, in words."""
    return f"the last {data.rfm[0].period_days} days" if data.rfm else "the period"


def _notes(data: ReportData) -> tuple[str, ...]:
    if not data.rfm:
        return (f"No user has a value as of {data.header.as_of}.",)
    return unplaced(((c.status, c.n_users) for c in data.rfm if c.r_score is None), NOT_SCORED)


def _rfm_map(data: ReportData, scored: Sequence[RfmCount]) -> Grid:
    cells = {(c.r_score, c.f_score): c.n_users for c in scored}
    total, most = sum(cells.values()), max(cells.values())
    rows = []
    for r in reversed(SCORES):
        users = [cells.get((r, f), 0) for f in SCORES]
        found = [_map_cell(data.name_of(r, f), n, total, most) for f, n in zip(SCORES, users, strict=True)]
        rows.append((Cell(f"R {r}", below=ROW_NOTES.get(r, "")), *found))
    columns = ("", *[COLUMN_NAMES.get(f, f"F {f}") for f in SCORES])
    return Grid(
        f"Users by recency and frequency as of {data.header.as_of}", columns, tuple(rows), layout="map"
    )


def _map_cell(name: str, n: int, total: int, most: int) -> Cell:
    return Cell(count(n), Look.NUMBER, above=name, below=share(n, total), heat=n / most)


def _rfm_names(data: ReportData, scored: Sequence[RfmCount]) -> Grid:
    totals: dict[str, tuple[int, Decimal]] = {}
    for c in scored:
        name = data.name_of(c.r_score or 0, c.f_score or 0)
        users, amount = totals.get(name, (0, Decimal()))
        totals[name] = (users + c.n_users, amount + c.amount)
    everyone = sum(users for users, _ in totals.values())
    rows = [
        (
            text(name),
            number(users),
            Cell(share(users, everyone), Look.NUMBER),
            Cell(money(amount, data.header.currency), Look.NUMBER),
            Cell(money(amount / users, data.header.currency), Look.NUMBER),
        )
        for name, (users, amount) in sorted(totals.items(), key=lambda item: (-item[1][0], item[0]))
    ]
    return Grid("By name", ("Name", "Users", "Share", "Net spend", "Net spend per user"), tuple(rows))

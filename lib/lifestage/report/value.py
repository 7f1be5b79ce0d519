"""What the page says about tiers and where the revenue comes from."""

from lifestage.report.content import ReportData
from lifestage.report.grids import Cell, Grid, Look, Section, count, filled, money, number, share, text
from lifestage.report.rfm import period_of


def value_section(data: ReportData) -> Section:
    """Tiers with their spend and movement, and the share of the best buyers."""
    definition = (
        f"Buyers of {period_of(data)} by value index: weighed components such as spend and frequency, each scaled "
        "between the 5th and 95th percentile. Equal indexes share a tier. Spend is net of returns."
    )
    if not data.tiers:
        return Section("value", "Value", definition, (f"Nobody has a tier as of {data.header.as_of}.",))
    return Section("value", "Value", definition, grids=filled([_tier_grid(data), _share_grid(data)]))


def _tier_grid(data: ReportData) -> Grid:
    total = sum(tier.n_users for tier in data.tiers)
    spent = sum(tier.amount for tier in data.tiers)
    rows = [
        (
            text(tier.tier),
            Cell(count(tier.n_users), Look.NUMBER, below=share(tier.n_users, total)),
            Cell(money(tier.amount, data.header.currency), Look.NUMBER, below=share(tier.amount, spent)),
            Cell(f"{tier.least_index:.2f}", Look.NUMBER),
            Cell(f"+{count(tier.n_entered)}", Look.NUMBER),
            Cell(f"-{count(tier.n_left)}", Look.NUMBER),
        )
        for tier in data.tiers
    ]
    columns = ("Tier", "Users", "Net spend", "Least index", "Came in", "Went out")
    return Grid(f"Tiers as of {data.header.as_of}", columns, tuple(rows))


def _share_grid(data: ReportData) -> Grid:
    whole = data.top_shares[-1].amount if data.top_shares else 0
    rows = [
        (
            text(f"Best {top.percent} %"),
            number(top.n_users),
            Cell(money(top.amount, data.header.currency), Look.NUMBER),
            Cell(share(top.amount, whole), Look.NUMBER),
        )
        for top in data.top_shares[:-1]
    ]
    return Grid("Where the spend comes from", ("Buyers", "Users", "Net spend", "Share of spend"), tuple(rows))

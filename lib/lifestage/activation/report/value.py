"""What the page says about value: recency and frequency, tiers, and where the spend comes from."""

from decimal import Decimal

from lifestage.activation.report.content import ReportData, TierCount, TopShare
from lifestage.activation.report.movement import movement
from lifestage.activation.report.rfm import rfm_map, rfm_names
from lifestage.platform.reporting.charts import Point, curve_chart, parts_chart
from lifestage.platform.reporting.disclosure import BUYERS
from lifestage.platform.reporting.grids import Chart, Entry, Grid, columns, drop_empty, figure, text
from lifestage.platform.reporting.section import Chapter
from lifestage.platform.reporting.words import Words

NAMED = (1, 5, 10, 20, 50)
# From dark to light: tiers are in order.
TINTS = (3, 2, 0, 1, 8, 9)


def value_section(data: ReportData, words: Words) -> Chapter:
    """The map of recency and frequency, tiers with their spend and movement, concentration of spend."""
    figures = drop_empty(
        rfm_map(data, words),
        rfm_names(data, words),
        _tier_chart(data, words),
        _tier_grid(data, words),
        _curve_chart(data, words),
        _top_grid(data, words),
        _index_grid(data, words),
    )
    about = words("value.about", period=data.period)
    return Chapter("value", words("value.title"), about, _notes(data, words), figures)


def _notes(data: ReportData, words: Words) -> tuple[str, ...]:
    if not data.rfm:
        return (words("value.nobody", date=words.day(data.header.as_of)),)
    unscored = {c.status: c.n_users for c in data.rfm if ("unscored", c.status) in data.seen}
    return tuple(words(f"value.{status}", n=n) for status, n in sorted(unscored.items()))


def _tier_chart(data: ReportData, words: Words) -> Chart | None:
    # A part of a whole that is negative has no width.
    if not data.tiers or not all(_is_seen(tier, data) and tier.amount >= 0 for tier in data.tiers):
        return None
    shares = _tier_shares(data, words)
    points = [
        Point(words(f"column.{measure}"), name, value, told)
        for name, parts in shares.items()
        for measure, (value, told) in parts.items()
    ]
    places = [TINTS[i % len(TINTS)] for i, _ in enumerate(shares)]
    legend = tuple(
        Entry(place, name, words("value.tier_legend", users=parts["users"][1], spend=parts["spend"][1]))
        for place, (name, parts) in zip(places, shares.items(), strict=True)
    )
    title = words("value.tier_chart")
    spec = parts_chart(points, [*shares], places, title)
    return Chart("tiers-chart", title, words("about.tier", period=data.period), spec, legend)


def _tier_shares(data: ReportData, words: Words) -> dict[str, dict[str, tuple[float, str]]]:
    """Of each tier its users and spend, and the share of each in words."""
    users, spent = sum(tier.n_users for tier in data.tiers), sum(tier.amount for tier in data.tiers)
    return {
        words.translate(tier.tier): {
            "users": (tier.n_users, words.share(tier.n_users, users)),
            "spend": (float(tier.amount), words.share(tier.amount, spent)),
        }
        for tier in data.tiers
    }


def _is_seen(tier: TierCount, data: ReportData) -> bool:
    return ("tier", tier.tier) in data.seen


def _tier_grid(data: ReportData, words: Words) -> Grid:
    total, spent = sum(tier.n_users for tier in data.tiers), sum((t.amount for t in data.tiers), Decimal())
    rows = []
    for tier in data.tiers:
        is_shown = _is_seen(tier, data)
        rows.append((
            text(words.translate(tier.tier)),
            figure(words.count(tier.n_users), is_shown),
            figure(words.share(tier.n_users, total), is_shown),
            figure(words.money(tier.amount), is_shown),
            figure(words.share(tier.amount, spent), is_shown),
            figure(words.decimal(tier.least_index, 2), is_shown),
            *movement(data.tier_flows, tier.tier, words, data.least_users),
        ))  # fmt: skip
    names = ("tier", "users", "share", "spend", "share_of_spend", "least_index", "entered", "left")
    heads = columns(words, *names, period=data.period)
    return Grid(words("value.tiers", date=words.day(data.header.as_of)), heads, tuple(rows))


def _curve_chart(data: ReportData, words: Words) -> Chart | None:
    tops = told_shares(data)
    whole = data.top_shares[-1].amount if tops else 0
    if len(tops) < 2 or whole <= 0:
        return None
    points = [Point("0", "", 0.0, "")]
    for top in tops:
        told = words(
            "value.curve_label", best=words.share(top.percent, 100, 0), share=words.share(top.amount, whole)
        )
        points.append(Point(str(top.percent / 100), "", float(top.amount / whole), told))
    named = [str(percent / 100) for percent in NAMED]
    spec = curve_chart(points, named, words("value.across"), words("value.up"))
    return Chart("concentration-chart", words("value.curve"), words("about.top", period=data.period), spec)


def told_shares(data: ReportData) -> list[TopShare]:
    """The shares that may be told: between two of them lie enough buyers."""
    told: list[TopShare] = []
    if BUYERS not in data.seen:
        return told
    buyers = data.top_shares[-1].n_users if data.top_shares else 0
    is_fine = buyers >= 100 * data.least_users
    for top in data.top_shares:
        more = top.n_users - (told[-1].n_users if told else 0)
        rest = buyers - top.n_users
        is_named = is_fine or top.percent in (*NAMED, 100)
        if is_named and more >= data.least_users and (rest >= data.least_users or not rest):
            told.append(top)
    return told


def _top_grid(data: ReportData, words: Words) -> Grid:
    tops = told_shares(data)
    whole = data.top_shares[-1].amount if tops else Decimal()
    rows = tuple(
        (
            text(words("value.best", share=words.share(top.percent, 100, 0))),
            figure(words.count(top.n_users)),
            figure(words.money(top.amount)),
            figure(words.share(top.amount, whole)),
        )
        for top in tops
        if top.percent in NAMED
    )
    heads = columns(words, "buyers", "users", "spend", "share_of_spend", period=data.period)
    return Grid(words("value.top"), heads, rows, is_folded=True)


def _index_grid(data: ReportData, words: Words) -> Grid:
    # Of a hundred buyers the 5th percentile is one of five.
    is_shown = sum(tier.n_users for tier in data.tiers) >= 20 * data.least_users and BUYERS in data.seen
    rows = tuple(
        (
            text(words.translate(part.component.replace("_", " "))),
            text(words.translate(part.dimension)),
            figure(words.decimal(part.weight, 2)),
            figure(words.decimal(part.p5, 2), is_shown),
            figure(words.decimal(part.p95, 2), is_shown),
        )
        for part in data.parts
    )
    heads = columns(words, "component", "dimension", "weight", "p5", "p95")
    return Grid(words("value.index"), heads, rows, is_folded=True)

"""The charts and tables of the value section."""

from collections.abc import Iterator
from decimal import Decimal

from lifestage.analytics.value.rfm_figures import rfm_map, rfm_names
from lifestage.analytics.value.section_data import TIER, UNSCORED, TierCount, TopShare, ValueData
from lifestage.platform.reporting.charts import Point, Titles, curve_chart, parts_chart
from lifestage.platform.reporting.disclosure import BUYERS, Disclosure
from lifestage.platform.reporting.grids import Cell, Chart, Entry, Grid, columns, drop_empty, figure, text
from lifestage.platform.reporting.section import Chapter
from lifestage.platform.reporting.words import Words
from lifestage.users.identity.movement import group_cells

NAMED = (1, 5, 10, 20, 50)
# From dark to light, as tiers are in order.
TINTS = (3, 2, 0, 1, 8, 9)


def render(data: ValueData, seen: Disclosure, words: Words) -> Iterator[Chapter]:
    """The map of recency and frequency, tiers with their spend and movement, concentration of spend."""
    figures = drop_empty(
        rfm_map(data, seen, words),
        rfm_names(data, seen, words),
        _tier_chart(data, seen, words),
        _tier_grid(data, seen, words),
        _curve_chart(data, seen, words),
        _top_grid(data, seen, words),
        _index_grid(data, seen, words),
    )
    about = words("value.about", period=data.period)
    yield Chapter("value", words("value.title"), about, _notes(data, seen, words), figures)


def _notes(data: ValueData, seen: Disclosure, words: Words) -> tuple[str, ...]:
    if not data.rfm:
        return (words("value.nobody", date=words.day(data.as_of)),)
    changed = (
        (words("value.index_changed", before=words.day(data.before)),)
        if data.before and data.is_index_changed
        else ()
    )
    variety = () if data.has_variety else (words("value.insufficient_variety"),)
    unscored = {count.status: count.n_users for count in data.rfm if (UNSCORED, count.status) in seen}
    return (*variety, *changed, *[words(f"value.{status}", n=n) for status, n in sorted(unscored.items())])


def _tier_chart(data: ValueData, seen: Disclosure, words: Words) -> Chart | None:
    # A part of a whole that is negative has no width.
    if not data.tiers or not all((TIER, tier.tier) in seen and tier.amount >= 0 for tier in data.tiers):
        return None
    shares = _tier_shares(data, words)
    points = [
        Point(words(f"column.{measure}"), name, value, label)
        for name, parts in shares.items()
        for measure, (value, label) in parts.items()
    ]
    places = [TINTS[i % len(TINTS)] for i, _ in enumerate(shares)]
    legend = tuple(
        Entry(place, name, words("value.tier_legend", users=parts["users"][1], spend=parts["spend"][1]))
        for place, (name, parts) in zip(places, shares.items(), strict=True)
    )
    title = words("value.tier_chart")
    titles = Titles(words("column.measure"), words("column.share"), words("column.tier"))
    spec = parts_chart(points, [*shares], places, titles, title)
    return Chart("tiers-chart", title, words("about.tier", period=data.period), spec, legend)


def _tier_shares(data: ValueData, words: Words) -> dict[str, dict[str, tuple[float, str]]]:
    """Users and spend of each tier, each with its share as text."""
    users, spent = sum(tier.n_users for tier in data.tiers), sum(tier.amount for tier in data.tiers)
    return {
        words.translate(tier.tier): {
            "users": (tier.n_users, words.share(tier.n_users, users)),
            "spend": (float(tier.amount), words.share(tier.amount, spent)),
        }
        for tier in data.tiers
    }


def _tier_grid(data: ValueData, seen: Disclosure, words: Words) -> Grid:
    total, spent = sum(tier.n_users for tier in data.tiers), sum((t.amount for t in data.tiers), Decimal())
    rows = tuple(
        (*_tier_cells(tier, total, spent, seen, words),
         *group_cells(data.moves, tier.tier, words, seen.least_users))
        for tier in data.tiers
    )  # fmt: skip
    names = ("tier", "users", "share", "spend", "share_of_spend", "least_index", "entered", "left")
    heads = columns(words, *names, period=data.period)
    return Grid(words.describe_comparison("value.tiers", data.as_of, data.before), heads, rows)


def _tier_cells(
    tier: TierCount, total: int, spent: Decimal, seen: Disclosure, words: Words
) -> tuple[Cell, ...]:
    shown = (TIER, tier.tier) in seen
    return (
        text(words.translate(tier.tier)),
        figure(words.count(tier.n_users), shown),
        figure(words.share(tier.n_users, total), shown),
        figure(words.money(tier.amount), shown),
        figure(words.share(tier.amount, spent), shown),
        figure(words.decimal(tier.least_index, 2), shown),
    )


def _curve_chart(data: ValueData, seen: Disclosure, words: Words) -> Chart | None:
    tops = select_shares(data, seen)
    whole = data.top_shares[-1].amount if tops else 0
    if len(tops) < 2 or whole <= 0:
        return None
    points = [Point("0", "", 0.0, "")]
    for top in tops:
        label = words(
            "value.curve_label", best=words.share(top.percent, 100, 0), share=words.share(top.amount, whole)
        )
        points.append(Point(str(top.percent / 100), "", float(top.amount / whole), label))
    named = [str(percent / 100) for percent in NAMED]
    spec = curve_chart(points, named, words("value.across"), words("value.up"))
    return Chart("concentration-chart", words("value.curve"), words("about.top", period=data.period), spec)


def select_shares(data: ValueData, seen: Disclosure) -> list[TopShare]:
    """The shares that may be shown: enough buyers lie between two of them, and beyond the last."""
    selected: list[TopShare] = []
    if BUYERS not in seen:
        return selected
    buyers = data.top_shares[-1].n_users if data.top_shares else 0
    is_fine = buyers >= 100 * seen.least_users
    for top in data.top_shares:
        more = top.n_users - (selected[-1].n_users if selected else 0)
        rest = buyers - top.n_users
        is_named = is_fine or top.percent in (*NAMED, 100)
        if is_named and more >= seen.least_users and (rest >= seen.least_users or not rest):
            selected.append(top)
    return selected


def _top_grid(data: ValueData, seen: Disclosure, words: Words) -> Grid:
    tops = select_shares(data, seen)
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


def _index_grid(data: ValueData, seen: Disclosure, words: Words) -> Grid:
    # The 5th percentile of 100 buyers is the value of one of five.
    is_shown = sum(tier.n_users for tier in data.tiers) >= 20 * seen.least_users and BUYERS in seen
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

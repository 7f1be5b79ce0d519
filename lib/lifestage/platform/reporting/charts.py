"""Vega-Lite specs of the charts of a report. Colours, fonts and widths come from the page, which knows screen and theme.

Each function imports Altair itself: the import takes most of a second, and only a run that reports needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

Spec = dict[str, Any]
BAR_HEIGHT = 26
DIGIT_WIDTH = 8
PALE = 0.4
N_COLORS = 10
# A list of names would become part of an expression, which some texts break.
BY_RANK = {"field": "rank", "op": "min"}
# A name in place of the rows while Altair builds a chart. Altair would copy them under the name of their hash.
ROWS = "rows"
COUNTS, AMOUNTS, SHARES = ",d", "~s", ".0%"


@dataclass(frozen=True)
class Point:
    """One value of a chart: its place, the series that it belongs to, and the number as text."""

    x: str
    name: str
    value: float
    label: str
    is_partial: bool = False
    """Whether the number says less than it seems to; it is drawn pale."""


@dataclass(frozen=True)
class Titles:
    """What the place, the series and the number of a point are called, on the axes and beside the pointer."""

    x: str
    measure: str
    name: str = ""


def stacked_chart(points: Sequence[Point], order: Sequence[str], titles: Titles, axis: str) -> Spec:
    """Columns, one for each x in the order of the points, with the names stacked from the bottom up."""
    import altair as alt

    places = {x: place for place, x in enumerate(dict.fromkeys(point.x for point in points))}
    rows = [{**asdict(point), "rank": places[point.x], "level": order.index(point.name)} for point in points]
    labels = alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=8)
    encoded = _new_chart().mark_bar().encode(
        x=alt.X("x:N", title=None, sort=BY_RANK, axis=labels),
        y=alt.Y("value:Q", title=titles.measure, axis=alt.Axis(tickCount=5, tickMinStep=1, format=axis)),
        color=_color(order, range(len(order))),
        order=alt.Order("level:Q"),
        opacity=alt.condition("datum.is_partial", alt.value(PALE), alt.value(1)),
        tooltip=_tips(titles),
    )  # fmt: skip
    # A label stands under the middle of a narrow column, and half of the last one beside it.
    room = {"left": 5, "top": 5, "bottom": 5, "right": 4 * max((len(x) for x in places), default=1)}
    return {**_to_spec(encoded, rows, titles.measure, height=320), "padding": room}


def bars_chart(points: Sequence[Point], titles: Titles) -> Spec:
    """Horizontal bars in the order of the points, each with its number at the end."""
    import altair as alt

    rows = [{**asdict(point), "rank": rank} for rank, point in enumerate(points)]
    values = [0.0, *[point.value for point in points]]
    # The number behind the longest bar needs the same room on a screen of any width.
    room = DIGIT_WIDTH * (1 + max((len(point.label) for point in points), default=0))
    ends = alt.ExprRef(f"max(width - {room}, {BAR_HEIGHT})")
    scale = alt.Scale(domain=[min(values), max(values) or 1], range=[0, ends])
    base = _new_chart().encode(
        x=alt.X("value:Q", title=None, axis=None, scale=scale),
        y=alt.Y("x:N", title=None, sort=BY_RANK, axis=alt.Axis(ticks=False)),
        tooltip=_tips(titles),
    )
    numbers = base.mark_text(align="left", dx=4).encode(text="label:N")
    return _to_spec(base.mark_bar() + numbers, rows, titles.measure, height=BAR_HEIGHT * len(rows))


def parts_chart(
    points: Sequence[Point], order: Sequence[str], places: Sequence[int], titles: Titles, description: str
) -> Spec:
    """One full bar for each x. The names divide it by their values, which are shares of it."""
    import altair as alt

    rows = [{**asdict(point), "level": order.index(point.name)} for point in points]
    encoded = _new_chart().mark_bar().encode(
        x=alt.X("value:Q", title=None, stack="normalize", axis=alt.Axis(format=SHARES, tickCount=5)),
        y=alt.Y("x:N", title=None, sort=None, axis=alt.Axis(ticks=False)),
        color=_color(order, places),
        order=alt.Order("level:Q"),
        tooltip=_tips(titles),
    )  # fmt: skip
    return _to_spec(encoded, rows, description, height=2 * BAR_HEIGHT * len({point.x for point in points}))


def curve_chart(points: Sequence[Point], named: Sequence[str], across: str, up: str) -> Spec:
    """A curve of shares from the origin. The named points carry their number."""
    import altair as alt

    rows = [{**asdict(point), "at": float(point.x), "named": point.x in named} for point in points]
    scale, axis = alt.Scale(domain=[0, 1]), alt.Axis(format=SHARES, tickCount=5)
    base = _new_chart().encode(
        x=alt.X("at:Q", title=across, scale=scale, axis=axis),
        y=alt.Y("value:Q", title=up, scale=scale, axis=axis),
    )
    # A line as a whole would name its first point, wherever the pointer is.
    tips = [_tip("label", up)]
    marked = base.transform_filter("datum.named").encode(tooltip=tips)
    labels = marked.mark_text(align="left", dx=7, dy=8).encode(text="label:N")
    chart = base.mark_line() + marked.mark_point(filled=True, size=60) + labels
    return _to_spec(chart, rows, f"{up} / {across}", height=300)


def _new_chart() -> alt.Chart:
    import altair as alt

    return alt.Chart(alt.NamedData(ROWS))


def _tips(titles: Titles) -> list[alt.Tooltip]:
    """The lines beside the pointer. Lines with one title would replace each other."""
    named = {"x": titles.x, "name": titles.name, "label": titles.measure}
    return [_tip(field, title) for field, title in named.items() if title]


def _tip(field: str, title: str) -> alt.Tooltip:
    """One line. A chart without values would fail on a field of no declared type."""
    import altair as alt

    return alt.Tooltip(f"{field}:N", title=title)


def _color(order: Sequence[str], places: Sequence[int]) -> alt.Color:
    """The colour of each name, by its place in the palette of the page."""
    import altair as alt

    colors = [f"--c{place % N_COLORS}" for place in places]
    return alt.Color("name:N", scale=alt.Scale(domain=list(order), range=colors), legend=None)


def _to_spec(chart: alt.Chart | alt.LayerChart, rows: Sequence[Spec], description: str, height: int) -> Spec:
    """The chart as wide as its place on the page, without the address of the schema, which nothing needs."""
    import altair as alt

    fit = alt.AutoSizeParams(type="fit-x", contains="padding")
    sized = chart.properties(width="container", height=height, autosize=fit, description=description)
    spec: Spec = {**sized.to_dict(), "data": {"values": rows}}
    del spec["$schema"], spec["config"]
    return spec

"""Vega-Lite specs of the charts. Colours, fonts and widths are the page's: it knows the screen and its theme."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import altair as alt

Spec = dict[str, Any]
BAR_HEIGHT = 26
N_COLORS = 10
# A list of names would become part of an expression, which some texts break.
BY_RANK = alt.EncodingSortField(field="rank", op="min")
# Stands for the rows while Altair builds a chart: it would copy them under the name of their hash.
ROWS = alt.NamedData("rows")
COUNTS, AMOUNTS, SHARES = ",d", "~s", ".0%"
# What a chart of no values would fail on.
NAMES = [alt.Tooltip("x:N", title=" "), alt.Tooltip("name:N", title=" "), alt.Tooltip("label:N", title=" ")]


@dataclass(frozen=True)
class Point:
    """One value of a chart: where it stands, what it belongs to, and the number in words."""

    x: str
    name: str
    value: float
    label: str


def stacked_chart(points: Sequence[Point], order: Sequence[str], measure: str, axis: str) -> Spec:
    """Columns, one for each x as the points come, with the names stacked from the bottom up."""
    places = {x: place for place, x in enumerate(dict.fromkeys(point.x for point in points))}
    rows = [{**asdict(point), "rank": places[point.x], "level": order.index(point.name)} for point in points]
    chart = alt.Chart(ROWS).mark_bar()
    encoded = chart.encode(
        x=alt.X(
            "x:N", title=None, sort=BY_RANK, axis=alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=8)
        ),
        y=alt.Y("value:Q", title=measure, axis=alt.Axis(tickCount=5, tickMinStep=1, format=axis)),
        color=_color(order, range(len(order))),
        order=alt.Order("level:Q"),
        tooltip=NAMES,
    )
    return _spec(encoded, rows, measure, height=320)


def bars_chart(points: Sequence[Point], measure: str) -> Spec:
    """Horizontal bars in the order of the points, each with its number at the end."""
    rows = [{**asdict(point), "rank": rank} for rank, point in enumerate(points)]
    values = [0.0, *[point.value for point in points]]
    # Room for the number behind the longest bar.
    scale = alt.Scale(domain=[min(values), 1.15 * max(values) or 1])
    base = alt.Chart(ROWS).encode(
        x=alt.X("value:Q", title=None, axis=None, scale=scale),
        y=alt.Y("x:N", title=None, sort=BY_RANK, axis=alt.Axis(ticks=False)),
        tooltip=[NAMES[0], NAMES[2]],
    )
    numbers = base.mark_text(align="left", dx=4).encode(text="label:N")
    return _spec(base.mark_bar() + numbers, rows, measure, height=BAR_HEIGHT * len(rows))


def parts_chart(
    points: Sequence[Point], order: Sequence[str], places: Sequence[int], description: str
) -> Spec:
    """One full bar for each x, divided among the names by their values, which are shares of it."""
    rows = [{**asdict(point), "level": order.index(point.name)} for point in points]
    encoded = alt.Chart(ROWS).mark_bar().encode(
        x=alt.X("value:Q", title=None, stack="normalize", axis=alt.Axis(format=SHARES, tickCount=5)),
        y=alt.Y("x:N", title=None, sort=None, axis=alt.Axis(ticks=False)),
        color=_color(order, places),
        order=alt.Order("level:Q"),
        tooltip=NAMES,
    )  # fmt: skip
    return _spec(encoded, rows, description, height=2 * BAR_HEIGHT * len({point.x for point in points}))


def curve_chart(points: Sequence[Point], named: Sequence[str], across: str, up: str) -> Spec:
    """A curve of shares, from the origin; the named points carry their number."""
    rows = [{**asdict(point), "at": float(point.x), "named": point.x in named} for point in points]
    base = alt.Chart(ROWS).encode(
        x=alt.X(
            "at:Q", title=across, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=SHARES, tickCount=5)
        ),
        y=alt.Y(
            "value:Q", title=up, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=SHARES, tickCount=5)
        ),
        tooltip=[NAMES[2]],
    )
    marked = base.transform_filter("datum.named")
    labels = marked.mark_text(align="left", dx=7, dy=8).encode(text="label:N")
    return _spec(
        base.mark_line() + marked.mark_point(filled=True, size=60) + labels,
        rows,
        f"{up} / {across}",
        height=300,
    )


def _color(order: Sequence[str], places: Sequence[int]) -> alt.Color:
    """The colour of each name by its place in the page's palette, which the page looks up."""
    colors = [f"--c{place % N_COLORS}" for place in places]
    return alt.Color("name:N", scale=alt.Scale(domain=list(order), range=colors), legend=None)


def _spec(chart: alt.Chart | alt.LayerChart, rows: Sequence[Spec], description: str, height: int) -> Spec:
    """The chart as wide as its place on the page; without the address of the schema, which nothing needs."""
    fit = alt.AutoSizeParams(type="fit-x", contains="padding")
    sized = chart.properties(width="container", height=height, autosize=fit, description=description)
    spec: Spec = {**sized.to_dict(), "data": {"values": rows}}
    del spec["$schema"], spec["config"]
    return spec

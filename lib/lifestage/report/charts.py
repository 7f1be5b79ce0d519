"""Vega-Lite specs of the charts. Colours, fonts and widths are the page's: it knows the screen and its theme."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from lifestage.report.content import StageCount

Spec = dict[str, Any]
BAR_HEIGHT = 24
# A list of names would become part of an expression, which some texts break.
BY_RANK = alt.EncodingSortField(field="rank", op="min")
# Stands for the rows while Altair builds a chart: it would copy them under the name of their hash.
ROWS = alt.NamedData("rows")
# Dates are read as UTC and must be printed as such, or they slip a day west of Greenwich.
SHORT_DATE = "utcFormat(toDate(datum.value), '%-d %b %y')"


def stages_chart(stages: Sequence[StageCount], order: Sequence[str]) -> Spec:
    """Stacked bars, one a date, in the order of the ladder from the bottom up."""
    totals: dict[str, int] = {}
    for stage in stages:
        totals[str(stage.as_of)] = totals.get(str(stage.as_of), 0) + stage.n_users
    rows = [_stage_row(stage, totals, order) for stage in stages]
    chart = alt.Chart(ROWS).mark_bar()
    encoded = chart.encode(
        x=alt.X("date:O", title=None, axis=alt.Axis(labelExpr=SHORT_DATE, labelAngle=0, labelOverlap=True)),
        y=alt.Y("users:Q", title="Users", axis=alt.Axis(tickCount=5, tickMinStep=1)),
        color=alt.Color("stage:N", scale=alt.Scale(domain=list(order)), legend=None),
        order=alt.Order("rank:Q"),
        tooltip=[
            "date:N",
            "stage:N",
            alt.Tooltip("users:Q", format=","),
            alt.Tooltip("share:Q", format=".1%"),
        ],
    )
    return _spec(encoded, rows, "Users by lifecycle stage and date", height=340)


def bars_chart(values: Mapping[str, float], what: str, measure: str, digits: int = 0) -> Spec:
    """Horizontal bars, the longest first, each with its number at the end."""
    rows = [{"what": name, "value": value, "rank": rank} for rank, (name, value) in enumerate(values.items())]
    base = alt.Chart(ROWS).encode(
        x=alt.X("value:Q", title=None, axis=None),
        y=alt.Y("what:N", title=None, sort=BY_RANK, axis=alt.Axis(ticks=False)),
        tooltip=[
            alt.Tooltip("what:N", title=what),
            alt.Tooltip("value:Q", title=measure, format=f",.{digits}f"),
        ],
    )
    numbers = base.mark_text(align="left", dx=4).encode(text=alt.Text("value:Q", format=f",.{digits}f"))
    return _spec(base.mark_bar() + numbers, rows, f"{measure} by {what}", height=BAR_HEIGHT * len(rows))


def _stage_row(stage: StageCount, totals: Mapping[str, int], order: Sequence[str]) -> Spec:
    date = str(stage.as_of)
    return {
        "date": date,
        "stage": stage.stage,
        "users": stage.n_users,
        "share": stage.n_users / totals[date],
        "rank": order.index(stage.stage),
    }


def _spec(chart: alt.Chart | alt.LayerChart, rows: Sequence[Spec], description: str, height: int) -> Spec:
    """The chart as wide as its place on the page; without the address of the schema, which nothing needs."""
    fit = alt.AutoSizeParams(type="fit-x", contains="padding")
    sized = chart.properties(width="container", height=height, autosize=fit, description=description)
    spec: Spec = {**sized.to_dict(), "data": {"values": rows}}
    del spec["$schema"], spec["config"]
    return spec

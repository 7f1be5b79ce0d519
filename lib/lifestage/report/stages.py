"""What the page says about lifecycle stages."""

from collections.abc import Sequence
from decimal import Decimal

from lifestage.report.charts import stages_chart
from lifestage.report.content import ReportData, StageCount
from lifestage.report.grids import (
    Cell,
    Chart,
    Entry,
    Grid,
    Look,
    Section,
    count,
    filled,
    money,
    number,
    share,
    text,
)

MAX_MOVES = 8


def stages_section(data: ReportData) -> Section:
    """Users by stage over the dates, and the newest date in numbers."""
    order = stage_order(data)
    definition = (
        "Users in each lifecycle stage on the dates still kept. A user is in exactly one stage: "
        "the first rule of the ladder that holds on that date. The dates are not evenly spaced."
    )
    if not data.stages:
        notes = (f"No user has a stage as of {data.header.as_of} or before.",)
        return Section("stages", "Lifecycle", definition, notes)
    title = f"Users by stage, in numbers as of {data.stages[-1].as_of}"
    chart = Chart("stages-chart", title, stages_chart(data.stages, order), _legend(data.stages, order))
    grids = filled([_newest_grid(data, order), _flow_grid(data)])
    folded = (_stage_grid(data.stages, order),)
    return Section("stages", "Lifecycle", definition, charts=(chart,), grids=grids, folded=folded)


def _newest_grid(data: ReportData, order: Sequence[str]) -> Grid:
    """Users and revenue by stage on the newest date."""
    newest = [s for s in data.stages if s.as_of == data.stages[-1].as_of]
    total, spent = sum(s.n_users for s in newest), sum((s.amount for s in newest), Decimal())
    by_stage = {s.stage: s for s in newest}
    rows = [
        (
            text(stage),
            number(by_stage[stage].n_users),
            Cell(share(by_stage[stage].n_users, total), Look.NUMBER),
            Cell(money(by_stage[stage].amount, data.header.currency), Look.NUMBER),
            Cell(share(by_stage[stage].amount, spent), Look.NUMBER),
        )
        for stage in order
        if stage in by_stage
    ]
    columns = ("Stage", "Users", "Share", "Net spend, last 30 days", "Share of spend")
    return Grid(f"Users and spend by stage as of {newest[0].as_of}", columns, tuple(rows))


def _flow_grid(data: ReportData) -> Grid:
    """The largest moves between the last two dates; who stayed is not shown."""
    dates = sorted({s.as_of for s in data.stages})
    moved = [flow for flow in data.flows if flow.moved_from != flow.moved_to][:MAX_MOVES]
    rows = [
        (text(flow.moved_from or "new"), text(flow.moved_to or "gone"), number(flow.n_users))
        for flow in moved
    ]
    since = f" from {dates[-2]} to {dates[-1]}" if len(dates) > 1 else ""
    return Grid(f"Moves between stages{since}, the largest", ("From", "To", "Users"), tuple(rows))


def stage_order(data: ReportData) -> tuple[str, ...]:
    """The display order, then any stage of the data that it does not name."""
    found = {stage.stage for stage in data.stages}
    return (*data.stage_order, *sorted(found - set(data.stage_order)))


def _legend(stages: Sequence[StageCount], order: Sequence[str]) -> tuple[Entry, ...]:
    newest = {s.stage: s.n_users for s in stages if s.as_of == stages[-1].as_of}
    total = sum(newest.values())
    return tuple(
        Entry(i, stage, f"{count(newest.get(stage, 0))} ({share(newest.get(stage, 0), total)})")
        for i, stage in enumerate(order)
    )


def _stage_grid(stages: Sequence[StageCount], order: Sequence[str]) -> Grid:
    counts = {(s.as_of, s.stage): s.n_users for s in stages}
    rows = []
    for as_of in sorted({s.as_of for s in stages}, reverse=True):
        users = [counts.get((as_of, stage), 0) for stage in order]
        rows.append((text(as_of), *map(number, users), number(sum(users))))
    return Grid("Users by date and stage", ("As of", *order, "All"), tuple(rows))

"""What the page says about lifecycle stages."""

from collections.abc import Sequence

from lifestage.report.charts import stages_chart
from lifestage.report.content import ReportData, StageCount
from lifestage.report.grids import Chart, Entry, Grid, Section, count, number, share, text


def stages_section(data: ReportData) -> Section:
    """Users by stage over the dates, and the newest date in numbers."""
    order = stage_order(data)
    definition = (
        "Users in each lifecycle stage on the dates still kept. A user is in exactly one stage: "
        "the first rule of the ladder that holds on that date. The dates are not evenly spaced."
    )
    if not data.stages:
        notes = (f"No user has a stage as of {data.header.as_of} or before.",)
        return Section("stages", "Lifecycle stages", definition, notes)
    title = f"Users by stage, in numbers as of {data.stages[-1].as_of}"
    chart = Chart("stages-chart", title, stages_chart(data.stages, order), _legend(data.stages, order))
    grid = _stage_grid(data.stages, order)
    return Section("stages", "Lifecycle stages", definition, charts=(chart,), folded=(grid,))


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

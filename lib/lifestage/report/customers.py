"""What the page says about users: stages, the RFM map, segments."""

from collections.abc import Sequence
from decimal import Decimal

from lifestage.report.charts import stages_chart
from lifestage.report.content import Feature, ReportData, RfmCount, SegmentCount, StageCount
from lifestage.report.grids import (
    Cell,
    Chart,
    Entry,
    Grid,
    Look,
    Section,
    count,
    heats,
    label_of,
    money,
    number,
    plural,
    quantity,
    share,
    text,
)
from lifestage.tables.catalogue import Unit

SCORES = (1, 2, 3, 4, 5)
ROW_NOTES = {5: "most recent", 1: "longest ago"}
COLUMN_NAMES = {1: "F 1, rarest", 5: "F 5, most often"}


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


def rfm_section(data: ReportData) -> Section:
    """The R x F map of the newest date, and its names in numbers."""
    scored = [c for c in data.rfm if c.r_score is not None and c.f_score is not None]
    period = data.rfm[0].period_days if data.rfm else 365
    definition = (
        f"Buyers of the last {period} days by how recently (R) and how often (F) they bought, each scored "
        "1 to 5 with 5 best. A deeper shade holds more of them. Spend is a value of its own, not part of the name."
    )
    notes = _rfm_notes(data)
    if not scored:
        return Section("rfm", "Recency and frequency", definition, notes)
    grids = (_rfm_map(data, scored),)
    return Section(
        "rfm", "Recency and frequency", definition, notes, grids=grids, folded=(_rfm_names(data, scored),)
    )


def segments_section(data: ReportData) -> Section:
    """Size and means of each segment."""
    definition = (
        "Groups of users who behave alike, found by K-means. Each number is the mean over the segment's users "
        "for whom the feature is known. A deeper shade is higher among the segments."
    )
    modelled = [s for s in data.segments if s.segment_id is not None]
    notes = _segment_notes(data, modelled)
    if not modelled:
        return Section("segments", "Segments", definition, notes)
    meanings = Grid(
        "What the columns mean",
        ("Column", "Feature", "Meaning"),
        tuple((text(label_of(f.name)), text(f.name), text(f.description)) for f in data.features),
    )
    grids = (_segment_grid(data, modelled),)
    return Section(
        "segments", "Segments", definition, notes, grids=grids, folded=(meanings,) if data.features else ()
    )


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


def _rfm_notes(data: ReportData) -> tuple[str, ...]:
    if not data.rfm:
        return (f"No user has a value as of {data.header.as_of}.",)
    others = {c.status: c.n_users for c in data.rfm if c.r_score is None}
    said = {
        "not_scored": "without a purchase in the period: not scored",
        "insufficient_data": "not scored: too few buyers or too short a history",
    }
    return tuple(f"{plural(n, 'user')} {said.get(status, status)}." for status, n in sorted(others.items()))


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


def _segment_notes(data: ReportData, modelled: Sequence[SegmentCount]) -> tuple[str, ...]:
    if not data.segments:
        return (f"No user is in a segment as of {data.header.as_of}.",)
    models = sorted({s.model_id for s in modelled if s.model_id})
    about = [f"Model {model}, named after the date it was trained on." for model in models]
    said = {
        "not_modelled": "in no segment: no model was trained yet",
        "not_eligible": "in no segment: not eligible",
    }
    others = {s.status: s.n_users for s in data.segments if s.segment_id is None}
    return (
        *about,
        *[f"{plural(n, 'user')} {said.get(status, status)}." for status, n in sorted(others.items())],
    )


def _segment_grid(data: ReportData, modelled: Sequence[SegmentCount]) -> Grid:
    largest_first = sorted(modelled, key=lambda s: (-s.n_users, s.segment_id or 0))
    total = sum(s.n_users for s in modelled)
    shaded = [heats([_mean([s], i) for s in largest_first]) for i, _ in enumerate(data.features)]
    rows = [
        _segment_row(
            s.segment or f"segment {s.segment_id}",
            [s],
            total,
            data.features,
            [column[j] for column in shaded],
        )
        for j, s in enumerate(largest_first)
    ]
    unshaded = [None for _ in data.features]
    rows.append(_segment_row("All segments", largest_first, total, data.features, unshaded))
    columns = ("Segment", "Users", *[_heading(f, data.header.currency) for f in data.features])
    return Grid(f"Segments as of {data.header.as_of}", columns, tuple(rows), layout="profile")


def _segment_row(
    name: str,
    segments: Sequence[SegmentCount],
    total: int,
    features: Sequence[Feature],
    shades: Sequence[float | None],
) -> tuple[Cell, ...]:
    users = sum(s.n_users for s in segments)
    means = [
        Cell(quantity(_mean(segments, i), f.unit), Look.NUMBER, heat=shade)
        for i, (f, shade) in enumerate(zip(features, shades, strict=True))
    ]
    return (text(name), Cell(count(users), Look.NUMBER, below=share(users, total)), *means)


def _mean(segments: Sequence[SegmentCount], feature: int) -> Decimal | None:
    known = sum(s.counts[feature] for s in segments)
    return sum((s.sums[feature] for s in segments), Decimal()) / known if known else None


def _heading(feature: Feature, currency: str) -> str:
    return f"{label_of(feature.name)} ({currency})" if feature.unit == Unit.MONEY else label_of(feature.name)

"""What the page says about segments."""

from collections.abc import Sequence
from decimal import Decimal

from lifestage.report.content import Feature, ReportData, SegmentCount
from lifestage.report.grids import (
    Cell,
    Grid,
    Look,
    Section,
    count,
    filled,
    heats,
    label_of,
    quantity,
    share,
    text,
    unplaced,
)
from lifestage.tables.catalogue import Unit

IN_NO_SEGMENT = {
    "not_modelled": "in no segment: no model was trained yet",
    "not_eligible": "in no segment: not eligible",
}


def segments_section(data: ReportData) -> Section:
    """Size and means of each segment."""
    definition = (
        "Groups of users who behave alike, found by K-means. Each number is the mean over the segment's users "
        "for whom the feature is known. A deeper shade is higher among the segments."
    )
    modelled = [s for s in data.segments if s.segment_id is not None]
    notes = _notes(data, modelled)
    if not modelled:
        return Section("segments", "Segments", definition, notes)
    grids, folded = (_segment_grid(data, modelled),), filled([_meanings(data.features)])
    return Section("segments", "Segments", definition, notes, grids=grids, folded=folded)


def _meanings(features: Sequence[Feature]) -> Grid:
    rows = tuple((text(label_of(f.name)), text(f.name), text(f.description)) for f in features)
    return Grid("What the columns mean", ("Column", "Feature", "Meaning"), rows)


def _notes(data: ReportData, modelled: Sequence[SegmentCount]) -> tuple[str, ...]:
    if not data.segments:
        return (f"No user is in a segment as of {data.header.as_of}.",)
    models = sorted({s.model_id for s in modelled if s.model_id})
    about = [f"Model {model}, named after the date it was trained on." for model in models]
    others = unplaced(((s.status, s.n_users) for s in data.segments if s.segment_id is None), IN_NO_SEGMENT)
    return (*about, *others)


def _segment_grid(data: ReportData, modelled: Sequence[SegmentCount]) -> Grid:
    largest_first = sorted(modelled, key=lambda s: (-s.n_users, s.segment_id or 0))
    total = sum(s.n_users for s in modelled)
    shaded = [heats([_mean([s], i) for s in largest_first]) for i, _ in enumerate(data.features)]
    rows = [
        (text(_name(s)), *_cells([s], total, data.features, [column[place] for column in shaded]))
        for place, s in enumerate(largest_first)
    ]
    together = _cells(largest_first, total, data.features, [None for _ in data.features])
    rows.append((text("All segments"), *together))
    columns = ("Segment", "Users", *[_heading(f, data.header.currency) for f in data.features])
    return Grid(f"Segments as of {data.header.as_of}", columns, tuple(rows), layout="profile")


def _name(segment: SegmentCount) -> str:
    return segment.segment or f"segment {segment.segment_id}"


def _cells(
    segments: Sequence[SegmentCount], total: int, features: Sequence[Feature], shades: Sequence[float | None]
) -> tuple[Cell, ...]:
    """Users and means of some segments together."""
    users = sum(s.n_users for s in segments)
    means = [
        Cell(quantity(_mean(segments, i), f.unit), Look.NUMBER, heat=shade)
        for i, (f, shade) in enumerate(zip(features, shades, strict=True))
    ]
    return (Cell(count(users), Look.NUMBER, below=share(users, total)), *means)


def _mean(segments: Sequence[SegmentCount], feature: int) -> Decimal | None:
    known = sum(s.counts[feature] for s in segments)
    return sum((s.sums[feature] for s in segments), Decimal()) / known if known else None


def _heading(feature: Feature, currency: str) -> str:
    return f"{label_of(feature.name)} ({currency})" if feature.unit == Unit.MONEY else label_of(feature.name)

"""What the page says about segments."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from lifestage.activation.report.content import ReportData, SegmentCount
from lifestage.activation.report.disclosure import MODELLED
from lifestage.activation.report.movement import movement
from lifestage.platform.reporting.grids import (
    HIDDEN,
    Cell,
    Column,
    Grid,
    Look,
    columns,
    drop_empty,
    figure,
    label_feature,
    shade,
    text,
)
from lifestage.platform.reporting.section import Chapter
from lifestage.platform.reporting.words import Words


def segments_section(data: ReportData, words: Words) -> Chapter:
    """Size, movement and profile of each segment."""
    title, about = words("segments.title"), words("segments.about")
    modelled = [s for s in data.segments if s.segment_id is not None]
    notes = _notes(data, modelled, words)
    if not modelled:
        return Chapter("segments", title, about, notes)
    return Chapter("segments", title, about, notes, drop_empty(_profile_grid(data, modelled, words)))


def _notes(data: ReportData, modelled: Sequence[SegmentCount], words: Words) -> tuple[str, ...]:
    if not data.segments:
        return (words("segments.nobody", date=words.day(data.header.as_of)),)
    models = sorted({s.model_id for s in modelled if s.model_id})
    others = {s.status: s.n_users for s in data.segments if ("outside", s.status) in data.seen}
    return (
        *[words("segments.model", model=model) for model in models],
        *[words(f"segments.{status}", n=n) for status, n in sorted(others.items())],
    )


def _profile_grid(data: ReportData, modelled: Sequence[SegmentCount], words: Words) -> Grid:
    largest_first = sorted(modelled, key=lambda s: (-s.n_users, s.segment_id or 0))
    seen = {s.segment_id for s in modelled if ("segment", s.segment_id) in data.seen}
    total = sum(s.n_users for s in modelled)
    shades = [
        shade([_mean([s], i, data.least_users) if s.segment_id in seen else None for s in largest_first])
        for i, _ in enumerate(data.features)
    ]
    rows = [
        _row(data, s, total, seen, [column[place] for column in shades], words)
        for place, s in enumerate(largest_first)
    ]
    everyone = (
        text(words("segments.all")),
        figure(words.count(total), MODELLED in data.seen),
        text(""),
        text(""),
    )
    rows.append((*everyone, *_profile(data, largest_first, [None for _ in data.features], words)))
    heads = (
        *columns(words, "segment", "users", "entered", "left"),
        *[Column(label_feature(f.name, words), words.meaning(f.description, f.unit)) for f in data.features],
    )
    caption = words("segments.profile", date=words.day(data.header.as_of))
    return Grid(caption, heads, tuple(rows), layout="profile")


def _row(
    data: ReportData, segment: SegmentCount, total: int, seen: Collection[int | None],
    shades: Sequence[float | None], words: Words,
) -> tuple[Cell, ...]:  # fmt: skip
    name = text(
        words.translate(segment.segment)
        if segment.segment
        else words("segments.number", number=segment.segment_id)
    )
    if segment.segment_id not in seen:
        return (name, *[HIDDEN for _ in range(3 + len(data.features))])
    size = Cell(words.count(segment.n_users), Look.NUMBER, below=words.share(segment.n_users, total))
    moves = movement(data.segment_flows, str(segment.segment_id), words, data.least_users)
    return (name, size, *moves, *_profile(data, [segment], shades, words))


def _profile(
    data: ReportData, segments: Sequence[SegmentCount], shades: Sequence[float | None], words: Words
) -> tuple[Cell, ...]:
    """Means of some segments together."""
    means = [
        _mean(segments, i, data.least_users) if _all_known(segments, i, data.least_users) else None
        for i, _ in enumerate(data.features)
    ]
    return tuple(
        Cell(words.quantity(mean, f.unit), Look.NUMBER, heat=shade)
        for f, mean, shade in zip(data.features, means, shades, strict=True)
    )


def _all_known(segments: Sequence[SegmentCount], feature: int, least: int) -> bool:
    """Whether no segment has too few known values, whose mean would follow from the others'."""
    return not any(0 < s.counts[feature] < least for s in segments)


def _mean(segments: Sequence[SegmentCount], feature: int, least: int) -> Decimal | None:
    """The mean over the users for whom the feature is known; None where they are too few."""
    known = sum(s.counts[feature] for s in segments)
    return sum((s.sums[feature] for s in segments), Decimal()) / known if known >= max(least, 1) else None

"""The section of the report on segments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.model import SegmentModel
from lifestage.analytics.segments.retraining import Retraining, describe_training
from lifestage.analytics.segments.schedule import model_in_force
from lifestage.platform.reporting.disclosure import Cell, Disclosure, Equation
from lifestage.platform.reporting.grids import (
    HIDDEN,
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
from lifestage.platform.reporting.grids import Cell as GridCell
from lifestage.platform.reporting.section import Chapter, Section, Source
from lifestage.platform.reporting.words import Words
from lifestage.platform.storage.contracts import Table
from lifestage.users.identity.movement import READS, Move, count_moves, group_cells, read_regrouped_users

MODELLED: Cell = ("all", "modelled")
"""Users with a segment."""
# Kinds of cells: users of a segment, and of a status without one.
SEGMENT, OUTSIDE = "segment", "outside"


@dataclass(frozen=True)
class Feature:
    """A feature that profiles segments."""

    name: str
    description: str
    unit: str


@dataclass(frozen=True)
class Known:
    """The known values of a feature in a segment: their number and sum."""

    n_users: int
    total: Decimal


@dataclass(frozen=True)
class SegmentCount:
    """Users of a segment, or of a status without one, and the known values of each feature."""

    status: str
    model_id: str | None
    segment_id: int | None
    segment: str | None
    n_users: int
    known: Mapping[str, Known] = field(default_factory=dict)


@dataclass(frozen=True)
class SegmentData:
    """Everything that the section shows."""

    as_of: date
    features: tuple[Feature, ...] = ()
    counts: tuple[SegmentCount, ...] = ()
    moves: tuple[Move, ...] = ()
    before: date | None = None
    """The date that moves are counted since."""
    models_before: tuple[str, ...] = ()
    """The models of that date."""
    training: Retraining | None = None
    """What the training of the model in force changed."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models of the segments, in order."""
        return tuple(sorted({count.model_id for count in self.modelled if count.model_id}))

    @property
    def modelled(self) -> list[SegmentCount]:
        """The segments, the largest first."""
        found = [count for count in self.counts if count.segment_id is not None]
        return sorted(found, key=lambda count: (-count.n_users, count.segment_id or 0))


def read(source: Source) -> SegmentData:
    """Read sizes, profiles and moves between segments."""
    is_of_date = F.col("as_of") == F.lit(source.as_of)
    users = source.compute_once(read_regrouped_users).users
    segments, totals = source.read("user_segments"), source.read("segment_totals")
    config = source.config.of(SegmentsConfig)
    # One row a training date, ever.
    models = [SegmentModel.from_row(row) for row in source.read("segment_models").collect()]
    model = model_in_force({each.trained_on: each for each in models}, source.as_of, config)
    return SegmentData(
        as_of=source.as_of,
        training=describe_training(model, models, config) if model else None,
        features=describe_features(source.table("user_features"), config.profile),
        counts=to_counts(totals.where(is_of_date), source.read("segment_profiles").where(is_of_date)),
        moves=count_moves(segments, "segment_id", source.as_of, source.before, users),
        before=source.before,
        models_before=list_models(totals, source.before),
    )


def list_models(totals: DataFrame, day: date | None) -> tuple[str, ...]:
    """The models of a date, in order; bounded by the segments."""
    rows = totals.where((F.col("as_of") == F.lit(day)) & F.col("model_id").isNotNull())
    return tuple(sorted({row["model_id"] for row in rows.select("model_id").collect()}))


def describe_features(table: Table, names: Sequence[str]) -> tuple[Feature, ...]:
    """Features with the description and unit of their columns."""
    declared = {column.name: column for column in table.columns}
    return tuple(Feature(name, declared[name].description, declared[name].unit) for name in names)


def to_counts(totals: DataFrame, profiles: DataFrame) -> tuple[SegmentCount, ...]:
    """Rows of segment_totals with those of segment_profiles, of one date; bounded by segments times features."""
    known: dict[int, dict[str, Known]] = {}
    for row in profiles.collect():
        known.setdefault(row["segment_id"], {})[row["feature"]] = Known(row["n_known"], row["total"])
    counts = [
        SegmentCount(
            row["status"],
            row["model_id"],
            row["segment_id"],
            row["segment"],
            row["n_users"],
            known.get(row["segment_id"], {}),
        )
        for row in totals.collect()
    ]
    return tuple(sorted(counts, key=_order))


def _order(count: SegmentCount) -> tuple[Any, ...]:
    """By status and segment; NULL first."""
    return (count.status, count.model_id or "", count.segment_id or 0)


def cells(data: SegmentData) -> dict[Cell, int]:
    """Users of each segment, of each status without one, and of all segments."""
    segments: dict[Cell, int] = {(SEGMENT, count.segment_id): count.n_users for count in data.modelled}
    outside = {(OUTSIDE, count.status): count.n_users for count in data.counts if count.segment_id is None}
    return {**segments, MODELLED: sum(segments.values()), **outside}


def equations(data: SegmentData) -> Iterator[Equation]:
    """Users with and without a segment are all users. The segments add up to the users with one."""
    outside = [(OUTSIDE, count.status) for count in data.counts if count.segment_id is None]
    yield {MODELLED: 1, **dict.fromkeys(outside, 1)}
    if data.modelled:
        yield {MODELLED: -1, **{(SEGMENT, count.segment_id): 1 for count in data.modelled}}


def render(data: SegmentData, seen: Disclosure, words: Words) -> Iterator[Chapter]:
    """Size, movement and profile of each segment."""
    figures = drop_empty(_profile_grid(data, seen, words)) if data.modelled else ()
    notes = _notes(data, seen, words)
    yield Chapter("segments", words("segments.title"), words("segments.about"), notes, figures)


def _notes(data: SegmentData, seen: Disclosure, words: Words) -> tuple[str, ...]:
    if not data.counts:
        return (words("segments.nobody", date=words.day(data.as_of)),)
    is_retrained = data.before and data.models_before and data.models_before != data.models
    retrained = {"before": words.day(data.before), "model": ", ".join(data.models)} if data.before else {}
    outside = {count.status: count.n_users for count in data.counts if (OUTSIDE, count.status) in seen}
    return (
        *[words("segments.model", model=model) for model in data.models],
        *([words("segments.retrained", **retrained)] if is_retrained else []),
        *(_tell_changes(data.training, words) if data.training and data.models else ()),
        *[words(f"segments.{status}", n=n) for status, n in sorted(outside.items())],
    )


def _tell_changes(training: Retraining, words: Words) -> Iterator[str]:
    date = words.day(training.trained_on)
    for number, before, now in training.renamed:
        names = {"before": words.translate(before), "name": words.translate(now)}
        yield words("segments.renamed", number=number, date=date, **names)
    for kind, segments in (("added", training.added), ("ended", training.ended)):
        for number, name in segments:
            yield words(f"segments.{kind}", number=number, date=date, name=words.translate(name))
    if training.constant:
        yield words("segments.constant", features=", ".join(map(words.translate, training.constant)))


def _profile_grid(data: SegmentData, seen: Disclosure, words: Words) -> Grid:
    is_shown = {count.segment_id: (SEGMENT, count.segment_id) in seen for count in data.modelled}
    shades = [
        shade([
            _mean([count], f, seen.least_users) if is_shown[count.segment_id] else None
            for count in data.modelled
        ])
        for f in data.features
    ]  # fmt: skip
    total = sum(count.n_users for count in data.modelled)
    rows = [
        _row(data, count, total, is_shown[count.segment_id], [column[place] for column in shades], seen, words)
        for place, count in enumerate(data.modelled)
    ]  # fmt: skip
    everyone = (
        text(words("segments.all")),
        figure(words.count(total), MODELLED in seen),
        text(""),
        text(""),
    )
    rows.append((*everyone, *_profile(data, data.modelled, [None for _ in data.features], seen, words)))
    heads = (
        *columns(words, "segment", "users", "entered", "left"),
        *[Column(label_feature(f.name, words), words.meaning(f.description, f.unit)) for f in data.features],
    )
    caption = words.describe_comparison("segments.profile", data.as_of, data.before)
    return Grid(caption, heads, tuple(rows), layout="profile")


def _row(
    data: SegmentData, count: SegmentCount, total: int, is_shown: bool, shades: Sequence[float | None],
    seen: Disclosure, words: Words,
) -> tuple[GridCell, ...]:  # fmt: skip
    name = (
        words.translate(count.segment) if count.segment else words("segments.number", number=count.segment_id)
    )
    if not is_shown:
        return (text(name), *[HIDDEN for _ in range(3 + len(data.features))])
    size = GridCell(words.count(count.n_users), Look.NUMBER, below=words.share(count.n_users, total))
    moves = group_cells(data.moves, str(count.segment_id), words, seen.least_users)
    return (text(name), size, *moves, *_profile(data, [count], shades, seen, words))


def _profile(
    data: SegmentData, counts: Sequence[SegmentCount], shades: Sequence[float | None], seen: Disclosure,
    words: Words,
) -> tuple[GridCell, ...]:  # fmt: skip
    """The means of some segments together. A mean is unknown if one segment has too few values: it would follow."""
    means = [
        None
        if any(0 < _known(count, f).n_users < seen.least_users for count in counts)
        else _mean(counts, f, seen.least_users)
        for f in data.features
    ]
    return tuple(
        GridCell(words.quantity(mean, f.unit), Look.NUMBER, heat=heat)
        for f, mean, heat in zip(data.features, means, shades, strict=True)
    )


def _known(count: SegmentCount, feature: Feature) -> Known:
    return count.known.get(feature.name, Known(0, Decimal()))


def _mean(counts: Sequence[SegmentCount], feature: Feature, least_users: int) -> Decimal | None:
    """The mean over the users for whom the feature is known; None if they are too few."""
    known = [_known(count, feature) for count in counts]
    n = sum(each.n_users for each in known)
    return sum((each.total for each in known), Decimal()) / n if n >= max(least_users, 1) else None


SECTION = Section(
    key="segments",
    place=30,
    reads=("segment_totals", "segment_profiles", "segment_models", "user_segments", *READS),
    texts="analytics/segments/texts",
    read=read,
    render=render,
    cells=cells,
    equations=equations,
)

"""Assign users to segments by the model of their date."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.grid import grid_columns
from lifestage.analytics.segments.kmeans import Matrix, pairwise_squared_distances
from lifestage.analytics.segments.model import SegmentModel
from lifestage.analytics.segments.scaling import GRID, to_coordinates
from lifestage.analytics.segments.tables import USER_SEGMENTS
from lifestage.platform.runtime.frames import arrow_schema

OUTPUT = arrow_schema(USER_SEGMENTS.schema)


class SegmentStatus(StrEnum):
    """Whether a user has a segment, and if not, why."""

    MODELLED = "modelled"
    NOT_MODELLED = "not_modelled"
    NOT_ELIGIBLE = "not_eligible"


@dataclass(frozen=True)
class _Plan:
    """A model, the as_of dates that use it, and the names of its features' grid columns."""

    model: SegmentModel
    dates: tuple[date, ...]
    columns: tuple[str, ...]


def assign_segments(
    features: DataFrame, models: Mapping[date, SegmentModel | None], config: SegmentsConfig
) -> DataFrame:
    """Return one row of user_segments per row of user_features: the nearest centroid in the model of its as_of.

    All rows stay. The status is not_eligible for users who don't meet the configured condition (NULL counts as false),
    else not_modelled if the as_of has no model, else modelled. Columns of a segment are NULL unless the status is
    modelled. Ties go to the lowest segment id. Distances are Euclidean, in standard deviations.

    The features are computed as the model defines them, so that a changed configuration doesn't change the meaning of
    an old model.

    Args:
        features: Rows of user_features for one or more dates. One narrow pass reads them, without a shuffle.
        models: The model of each as_of; None before the first training.
        config: The condition of eligibility.
    """
    rows, plans = _plan(features, models, config)
    # Arrow, because distances as a SQL expression take 4.8 times as long.
    return rows.mapInArrow(partial(_assign_batches, plans=plans), USER_SEGMENTS.schema)


def assign_segments_on_driver(
    features: DataFrame, models: Mapping[date, SegmentModel | None], config: SegmentsConfig
) -> list[dict[str, Any]]:
    """Return the rows of `assign_segments` without starting Python workers, which is faster for a few dozen rows."""
    rows, plans = _plan(features, models, config)
    batches = _assign_batches(rows.toArrow().to_batches(), plans)
    return [row for batch in batches for row in batch.to_pylist()]


def _plan(
    features: DataFrame, models: Mapping[date, SegmentModel | None], config: SegmentsConfig
) -> tuple[DataFrame, list[_Plan]]:
    """Compute the status and the grid columns of all models for each row, and say which columns each model uses."""
    by_id = {model.model_id: model for model in models.values() if model}
    measures = sorted({(each.expression, each.log) for model in by_id.values() for each in model.features})
    names = {measure: f"g{index}" for index, measure in enumerate(measures)}
    plans = [
        _Plan(
            model,
            tuple(as_of for as_of, other in models.items() if other and other.model_id == model.model_id),
            tuple(names[each.expression, each.log] for each in model.features),
        )
        for model in by_id.values()
    ]
    rows = features.select("user_id", "as_of", _status_column(models, config), *grid_columns(measures))
    return rows, plans


def _status_column(models: Mapping[date, SegmentModel | None], config: SegmentsConfig) -> Column:
    is_eligible = F.coalesce(F.expr(config.eligible), F.lit(False))
    has_model = F.col("as_of").isin([as_of for as_of, model in models.items() if model])
    status = (
        F.when(~is_eligible, F.lit(SegmentStatus.NOT_ELIGIBLE.value))
        .when(has_model, F.lit(SegmentStatus.MODELLED.value))
        .when(~has_model, F.lit(SegmentStatus.NOT_MODELLED.value))
    )
    return status.alias("status")


def _assign_batches(batches: Iterable[pa.RecordBatch], plans: Sequence[_Plan]) -> Iterator[pa.RecordBatch]:
    # It takes long to import: only the workers that need it do.
    import pyarrow.compute as pc

    for batch in batches:
        is_modelled = pc.equal(batch.column("status"), SegmentStatus.MODELLED.value)
        yield _to_output(batch.filter(pc.invert(is_modelled)), {})
        for plan in plans:
            has_date = pc.is_in(batch.column("as_of"), value_set=pa.array(plan.dates, pa.date32()))
            part = batch.filter(pc.and_(is_modelled, has_date))
            if part.num_rows:
                yield _to_output(part, _find_nearest(part, plan))


def _find_nearest(batch: pa.RecordBatch, plan: _Plan) -> dict[str, pa.Array]:
    """Return the columns of the nearest segment and of the runner-up, which a model with one segment doesn't have."""
    model = plan.model
    coordinates = to_coordinates([batch.column(name) for name in plan.columns], model.features)
    distances = pairwise_squared_distances(coordinates, model.centroids)
    ids = pa.array([segment.segment_id for segment in model.segments], pa.int32())
    names = pa.array([segment.name for segment in model.segments])
    first, distance = _take_nearest(distances)
    columns = {
        "model_id": pa.repeat(model.model_id, batch.num_rows),
        "segment_id": ids.take(first),
        "segment": names.take(first),
        "distance": distance,
    }
    if model.k == 1:
        return columns
    distances[first.to_numpy(), np.arange(batch.num_rows)] = np.inf
    second, distance = _take_nearest(distances)
    return {**columns, "runner_up_id": ids.take(second), "runner_up_distance": distance}


def _take_nearest(distances: Matrix) -> tuple[pa.Array, pa.Array]:
    """Return the index of each user's nearest centroid (the first of equals) and its distance in scaled space."""
    return pa.array(distances.argmin(axis=0)), pa.array(np.sqrt(distances.min(axis=0)) / GRID)


def _to_output(batch: pa.RecordBatch, columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """Return the batch as rows of user_segments, with NULL for columns that are not given."""
    known = {**columns, **{name: batch.column(name) for name in ("user_id", "as_of", "status")}}
    arrays = [known.get(field.name, pa.nulls(batch.num_rows)).cast(field.type) for field in OUTPUT]
    return pa.RecordBatch.from_arrays(arrays, schema=OUTPUT)

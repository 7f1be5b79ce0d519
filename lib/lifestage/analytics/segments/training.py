"""Train a segment model on the users of one date."""

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.grid import grid_columns
from lifestage.analytics.segments.kmeans import Matrix, Vector
from lifestage.analytics.segments.matching import segment_ids
from lifestage.analytics.segments.model import Segment, SegmentModel
from lifestage.analytics.segments.naming import segment_names
from lifestage.analytics.segments.refinement import refine
from lifestage.analytics.segments.scaling import (
    GRID,
    Feature,
    ScaledFeature,
    fit_scaling,
    measure_extents,
    scaled,
)
from lifestage.analytics.segments.selection import choose, try_range


def train(
    features: DataFrame,
    config: SegmentsConfig,
    trained_on: date,
    previous: SegmentModel | None,
    taken_ids: Collection[int] = (),
) -> SegmentModel | None:
    """The model of the eligible users; None when there are fewer than `min_users`.

    The same users and values give the same model, bit for bit, whatever their order and partitions.

    Args:
        features: The user_features rows of as_of = `trained_on`, one per user.
        config: What to train.
        trained_on: The training date.
        previous: The model of the training date before, whose segment ids are kept where groups match.
        taken_ids: Ids of models of later dates, where an earlier date is trained after them: not free either.
    """
    columns = grid_columns((feature.expression, feature.log) for feature in config.features)
    # Kept because some six passes read it, more for the refinements; one whole number per user and feature.
    grid = features.where(config.eligible).select("user_id", *columns).persist()
    try:
        return _train(grid, config, trained_on, previous, taken_ids)
    finally:
        grid.unpersist()


def _train(
    grid: DataFrame,
    config: SegmentsConfig,
    trained_on: date,
    previous: SegmentModel | None,
    taken_ids: Collection[int],
) -> SegmentModel | None:
    names = grid.columns[1:]
    n_users, extents = measure_extents(grid, names)
    if n_users < config.min_users:
        return None
    measured = [Feature(each.name, each.expression, each.log) for each in config.features]
    fitted = fit_scaling(grid, dict(zip(names, measured, strict=True)), extents, config.clip)
    points, weights = _distinct(scaled(_coreset(grid, n_users, config).columns, fitted))
    tried = try_range(points, weights, config.k, config.starts, config.seed)
    best = choose(tried, config.min_segment_share)
    centroids, sizes = best.centroids, best.sizes
    if n_users > config.coreset:
        centroids, sizes = refine(grid.select(*names), fitted, centroids, config.refinements)
    segments, retired_ids = _segments(centroids, sizes, fitted, config, previous, taken_ids)
    model = SegmentModel(
        model_id="",
        trained_on=trained_on,
        features_hash=config.features_hash,
        seed=config.seed,
        n_users=n_users,
        k=len(segments),
        scores=tuple(score for score, _ in tried),
        features=fitted,
        segments=segments,
        retired_ids=retired_ids,
    )
    return model.identified()


def _coreset(grid: DataFrame, n_users: int, config: SegmentsConfig) -> pa.Table:
    """The users with the smallest hashes, at most `coreset` of them, on the driver: 100 bytes a user at 12 features."""
    if n_users > config.coreset:
        order = F.xxhash64("user_id", F.lit(config.seed))
        grid = grid.orderBy(order, "user_id").limit(config.coreset)
    return grid.drop("user_id").toArrow()


def _distinct(coordinates: Matrix) -> tuple[Matrix, Vector]:
    """Each point once, in the order of its coordinates, and how many users have it: no trace of row order is left."""
    points, counts = np.unique(coordinates, axis=1, return_counts=True)
    return np.ascontiguousarray(points), counts.astype(np.float64)


def _segments(
    centroids: Matrix,
    sizes: Vector,
    fitted: Sequence[ScaledFeature],
    config: SegmentsConfig,
    previous: SegmentModel | None,
    taken_ids: Collection[int],
) -> tuple[tuple[Segment, ...], tuple[int, ...]]:
    """The segments in order of id, and the retired ids. Fresh ids go by size, largest first, then by centroid."""
    order = np.lexsort([*centroids.T[::-1], -sizes])
    # A centroid that refinement left without users is no segment.
    order = order[sizes[order] > 0]
    ids, retired_ids = segment_ids(centroids[order], fitted, config.features_hash, previous, taken_ids)
    by_id = sorted(zip(ids, order, strict=True))
    profiles = [tuple((centroids[index] / GRID + 0.0).tolist()) for _, index in by_id]
    names = segment_names(profiles, config.features)
    segments = tuple(
        Segment(segment_id, name, profile, int(sizes[index]))
        for (segment_id, index), name, profile in zip(by_id, names, profiles, strict=True)
    )
    return segments, tuple(retired_ids)

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
from lifestage.analytics.segments.matching import match_segment_ids
from lifestage.analytics.segments.model import Segment, SegmentModel
from lifestage.analytics.segments.naming import name_segments
from lifestage.analytics.segments.refinement import refine
from lifestage.analytics.segments.scaling import (
    GRID,
    Feature,
    ScaledFeature,
    fit_scaling,
    measure_extents,
    to_coordinates,
)
from lifestage.analytics.segments.selection import choose_clustering, cluster_each_k


def train_model(
    features: DataFrame,
    config: SegmentsConfig,
    trained_on: date,
    previous: SegmentModel | None,
    taken_ids: Collection[int] = (),
) -> SegmentModel | None:
    """Train a model on the eligible users; None if there are fewer than `min_users`.

    A feature with one value for all users, after clipping, is left out of the model.

    The same users and values give the same model, bit for bit, for any row order and partitioning.

    Args:
        features: Rows of user_features for as_of = `trained_on`, unique per user_id.
        config: Features, number of segments and parameters of the training.
        trained_on: The training date.
        previous: The model of the training date before, whose segment ids survive where segments match.
        taken_ids: Further ids that are not free: those of models of later dates, if their training came first.
    """
    columns = grid_columns((feature.expression, feature.log) for feature in config.features)
    # Persisted because about six passes read it, and each refinement. It has one whole number for each user and feature.
    grid = features.where(config.eligible).select("user_id", *columns).persist()
    try:
        return _fit_model(grid, config, trained_on, previous, taken_ids)
    finally:
        grid.unpersist()


def _fit_model(
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
    scaled = fit_scaling(grid, dict(zip(names, measured, strict=True)), extents, config.clip)
    # If no feature varies, all users are one segment, and the features say why.
    by_name = {name: each for name, each in zip(names, scaled, strict=True) if not each.is_constant} or dict(
        zip(names, scaled, strict=True)
    )
    fitted, grid = tuple(by_name.values()), grid.select("user_id", *by_name)
    points, weights = _deduplicate(to_coordinates(_collect_coreset(grid, n_users, config).columns, fitted))
    candidates = cluster_each_k(points, weights, config.k, config.starts, config.seed)
    best = choose_clustering(candidates, config.min_segment_share)
    centroids, sizes = best.centroids, best.sizes
    if n_users > config.coreset:
        centroids, sizes = refine(grid.drop("user_id"), fitted, centroids, config.refinements)
    segments, retired_ids = _build_segments(centroids, sizes, fitted, config, previous, taken_ids)
    model = SegmentModel(
        model_id="",
        trained_on=trained_on,
        features_hash=config.features_hash,
        seed=config.seed,
        n_users=n_users,
        k=len(segments),
        scores=tuple(score for score, _ in candidates),
        features=fitted,
        segments=segments,
        retired_ids=retired_ids,
    )
    return model.with_model_id()


def _collect_coreset(grid: DataFrame, n_users: int, config: SegmentsConfig) -> pa.Table:
    """Collect the users with the smallest hashes, at most `coreset` of them: 100 bytes for a user with 12 features."""
    if n_users > config.coreset:
        order = F.xxhash64("user_id", F.lit(config.seed))
        grid = grid.orderBy(order, "user_id").limit(config.coreset)
    return grid.drop("user_id").toArrow()


def _deduplicate(coordinates: Matrix) -> tuple[Matrix, Vector]:
    """Return the distinct points with their number of users, sorted by coordinates and so independent of row order."""
    points, counts = np.unique(coordinates, axis=1, return_counts=True)
    return np.ascontiguousarray(points), counts.astype(np.float64)


def _build_segments(
    centroids: Matrix,
    sizes: Vector,
    fitted: Sequence[ScaledFeature],
    config: SegmentsConfig,
    previous: SegmentModel | None,
    taken_ids: Collection[int],
) -> tuple[tuple[Segment, ...], tuple[int, ...]]:
    """Return the segments sorted by id, and the retired ids. New ids go to the largest segment first, ties by centroid."""
    order = np.lexsort([*centroids.T[::-1], -sizes])
    # Refinement can leave a centroid without users, which is not a segment.
    order = order[sizes[order] > 0]
    ids, retired_ids = match_segment_ids(centroids[order], fitted, config.features_hash, previous, taken_ids)
    by_id = sorted(zip(ids, order, strict=True))
    profiles = [tuple((centroids[index] / GRID + 0.0).tolist()) for _, index in by_id]
    before = {segment.segment_id: segment.name for segment in previous.segments} if previous else {}
    modelled = {each.name for each in fitted}
    described = [each for each in config.features if each.name in modelled]
    names = name_segments(profiles, described, [before.get(segment_id) for segment_id, _ in by_id])
    segments = tuple(
        Segment(segment_id, name, profile, int(sizes[index]))
        for (segment_id, index), name, profile in zip(by_id, names, profiles, strict=True)
    )
    return segments, tuple(retired_ids)

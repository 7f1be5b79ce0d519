"""Which segment of a new model is which of the previous one: ids survive, and are never given to another group."""

from collections.abc import Collection, Sequence
from itertools import count

import numpy as np

from lifestage.analytics.segments.kmeans import Matrix, Vector
from lifestage.analytics.segments.model import SegmentModel
from lifestage.analytics.segments.scaling import GRID, ScaledFeature

# How far a segment may have moved, as a share of the way to its nearest neighbour. On Complete Journey, month
# to month and quarter to quarter, groups that were the same by their profiles moved up to 0.62 of it.
REACH = 0.75
# Dearer than any sum of allowed distances: an allowed pair is always better than a forbidden one.
FORBIDDEN = 1e9


def segment_ids(
    centroids: Matrix,
    features: Sequence[ScaledFeature],
    features_hash: str,
    previous: SegmentModel | None,
    taken: Collection[int] = (),
) -> tuple[list[int], list[int]]:
    """The id of each new centroid, and the ids that are used no longer.

    Old centroids are un-scaled with the old parameters and scaled with the new ones, so that both are in one
    space. An id passes on only if the old model itself would put the new centroid into that segment, and no
    farther from its centroid than three quarters of the way to the next old one. Of several such heirs the
    matching of most pairs and least cost takes the nearest. All others get the next ids, in the given order. A
    model with other features is about other groups: nothing matches.

    Args:
        centroids: New centroids in grid steps, in the order in which fresh ids are given.
        features: Fitted features of the new model.
        features_hash: What the new space means.
        previous: The model before.
        taken: Further ids that are no longer free: those of models of later dates.
    """
    matched: dict[int, int] = {}
    if previous and previous.features_hash == features_hash:
        matched = _matches(centroids, features, previous)
    known = previous.known_ids if previous else frozenset()
    fresh = count(max([0, *known, *taken]) + 1)
    ids = [matched[index] if index in matched else next(fresh) for index in range(len(centroids))]
    return ids, sorted(known - set(ids))


def _matches(centroids: Matrix, features: Sequence[ScaledFeature], previous: SegmentModel) -> dict[int, int]:
    """The id that each matched centroid inherits, by its position."""
    pairs = list(zip(features, previous.features, strict=True))
    # A feature that is constant in either model has no scale to measure with.
    told = [new.low < new.high and old.low < old.high for new, old in pairs]
    new = (centroids / GRID)[:, told]
    old = _in_new_space(previous, features)[:, told]
    costs = _distances(new, old)
    elsewhere = costs > costs.min(axis=1, keepdims=True)
    costs[elsewhere | (costs >= REACH * _separations(old))] = FORBIDDEN
    # It takes a second to import: only a run that trains pays for it, not every command.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(costs)
    allowed = [pair for pair in zip(rows, columns, strict=True) if costs[pair] < FORBIDDEN]
    return {int(new): previous.segments[old].segment_id for new, old in allowed}


def _in_new_space(previous: SegmentModel, features: Sequence[ScaledFeature]) -> Matrix:
    old_mean, old_scale = _mean_and_scale(previous.features)
    mean, scale = _mean_and_scale(features)
    rescaled: Matrix = (old_mean + old_scale * previous.centroids / GRID - mean) / scale
    return rescaled


def _mean_and_scale(features: Sequence[ScaledFeature]) -> tuple[Vector, Vector]:
    return np.array([each.mean for each in features]), np.array([each.scale for each in features])


def _separations(old: Matrix) -> Vector:
    """The distance of each old centroid to its nearest neighbour; for a single one the spread of all users."""
    if len(old) == 1:
        return np.array([max(np.sqrt(old.shape[1]), 1.0)])
    distances = _distances(old, old)
    np.fill_diagonal(distances, np.inf)
    separations: Vector = distances.min(axis=1)
    return separations


def _distances(left: Matrix, right: Matrix) -> Matrix:
    distances: Matrix = np.sqrt(np.square(left[:, None, :] - right[None, :, :]).sum(axis=2))
    return distances

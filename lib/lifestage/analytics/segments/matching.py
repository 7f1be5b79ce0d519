"""Match the segments of a new model to those of the previous one, so that ids survive and are never reused."""

from collections.abc import Collection, Sequence
from itertools import count

import numpy as np

from lifestage.analytics.segments.kmeans import Matrix, Vector
from lifestage.analytics.segments.model import SegmentModel
from lifestage.analytics.segments.scaling import GRID, ScaledFeature

# How far a segment may move, as a share of the distance to its nearest neighbor. On Complete Journey, month to month and
# quarter to quarter, segments with the same profile moved up to 0.62 of it.
REACH = 0.75
# More than any sum of allowed distances, so that an allowed pair is always better than a forbidden one.
FORBIDDEN = 1e9


def match_segment_ids(
    centroids: Matrix,
    features: Sequence[ScaledFeature],
    features_hash: str,
    previous: SegmentModel | None,
    taken: Collection[int] = (),
) -> tuple[list[int], list[int]]:
    """Return the id of each new centroid, and the ids that are no longer used.

    A new centroid can inherit an id if the previous model itself would assign it to that segment, and if its distance to
    the old centroid is less than 0.75 of the distance from there to the nearest other old centroid. If several new
    centroids can inherit the same id, the minimum-cost assignment with the most pairs decides. All others get new ids, in
    the given order. If the features differ from those of the previous model, nothing matches.

    Args:
        centroids: New centroids in grid steps, in the order in which they get new ids.
        features: Fitted features of the new model.
        features_hash: Hash of the features' definitions.
        previous: The previous model.
        taken: Further ids that are not free: those of models of later dates.
    """
    inherited: dict[int, int] = {}
    if previous and previous.features_hash == features_hash:
        inherited = _inherit_ids(centroids, features, previous)
    known = previous.known_ids if previous else frozenset()
    fresh = count(max([0, *known, *taken]) + 1)
    ids = [inherited[index] if index in inherited else next(fresh) for index in range(len(centroids))]
    return ids, sorted(known - set(ids))


def _inherit_ids(
    centroids: Matrix, features: Sequence[ScaledFeature], previous: SegmentModel
) -> dict[int, int]:
    """Return the inherited id of each new centroid that matches an old one, by its position."""
    # A feature that is constant in either model has no scale to measure distances with, and is left out of it.
    places = {each.name: place for place, each in enumerate(previous.features) if not each.is_constant}
    pairs = [
        (new_place, places[each.name])
        for new_place, each in enumerate(features)
        if not each.is_constant and each.name in places
    ]
    new = (centroids / GRID)[:, [place for place, _ in pairs]]
    old = _rescale_centroids(previous, features, pairs)
    costs = _pairwise_distances(new, old)
    is_elsewhere = costs > costs.min(axis=1, keepdims=True)
    costs[is_elsewhere | (costs >= REACH * _neighbor_distances(old))] = FORBIDDEN
    # Imported here because the import takes a second, which only a training should pay.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(costs)
    allowed = [pair for pair in zip(rows, columns, strict=True) if costs[pair] < FORBIDDEN]
    return {int(new): previous.segments[old].segment_id for new, old in allowed}


def _rescale_centroids(
    previous: SegmentModel, features: Sequence[ScaledFeature], pairs: Sequence[tuple[int, int]]
) -> Matrix:
    """Return the old centroids in the space of the new features: unscaled with the old parameters, scaled with the new.

    `pairs` are the places of each common feature among the new and among the old ones.
    """
    old = [previous.features[place] for _, place in pairs]
    new = [features[place] for place, _ in pairs]
    old_mean, old_scale = (np.array([getattr(each, name) for each in old]) for name in ("mean", "scale"))
    mean, scale = (np.array([getattr(each, name) for each in new]) for name in ("mean", "scale"))
    centroids = (previous.centroids / GRID)[:, [place for _, place in pairs]]
    rescaled: Matrix = (old_mean + old_scale * centroids - mean) / scale
    return rescaled


def _neighbor_distances(old: Matrix) -> Vector:
    """Return the distance of each old centroid to its nearest neighbor; for a single one, the spread of all users."""
    if len(old) == 1:
        return np.array([max(np.sqrt(old.shape[1]), 1.0)])
    distances = _pairwise_distances(old, old)
    np.fill_diagonal(distances, np.inf)
    nearest: Vector = distances.min(axis=1)
    return nearest


def _pairwise_distances(left: Matrix, right: Matrix) -> Matrix:
    distances: Matrix = np.sqrt(np.square(left[:, None, :] - right[None, :, :]).sum(axis=2))
    return distances

"""How many segments: every k of a range is tried and scored, and the scores decide."""

from collections.abc import Sequence
from math import fsum

import numpy as np

from lifestage.analytics.segments.kmeans import Clustering, Matrix, Vector, best_clustering, squared_distances
from lifestage.analytics.segments.model import Score
from lifestage.analytics.segments.scaling import GRID


def try_range(
    points: Matrix, weights: Vector, k: tuple[int, int], starts: int, seed: int
) -> list[tuple[Score, Clustering]]:
    """Each k of the range with its best clustering and score; never more clusters than there are points."""
    least, greatest = (min(bound, len(weights)) for bound in k)
    tried = (best_clustering(points, weights, n, starts, seed) for n in range(least, greatest + 1))
    return [(_score(points, weights, each), each) for each in tried]


def choose(tried: Sequence[tuple[Score, Clustering]], min_share: float) -> Clustering:
    """The clustering of greatest silhouette among those without too small a segment; ties go to the smaller k.

    Where each has a segment below the least share, the one whose smallest segment is largest.
    """
    allowed = [(score, found) for score, found in tried if score.min_share >= min_share]
    if allowed:
        return max(allowed, key=lambda pair: (pair[0].silhouette, -pair[0].k))[1]
    return max(tried, key=lambda pair: (pair[0].min_share, -pair[0].k))[1]


def _score(points: Matrix, weights: Vector, found: Clustering) -> Score:
    n_users = float(weights.sum())
    return Score(
        k=len(found.centroids),
        inertia=found.inertia / GRID**2,
        silhouette=_simplified_silhouette(points, weights, found),
        min_share=float(found.sizes.min()) / n_users,
    )


def _simplified_silhouette(points: Matrix, weights: Vector, found: Clustering) -> float:
    """Mean over users of 1 - a/b: a to the own centroid, b to the next nearest; 0 for a single cluster.

    Simplified as by Vendramin, Campello and Hruschka (2010): distances to centroids, not to every member.
    """
    if len(found.centroids) == 1:
        return 0.0
    own, other = np.sort(squared_distances(points, found.centroids), axis=0)[:2]
    ratios = np.sqrt(own / np.maximum(other, 1.0))
    return fsum((1.0 - ratios) * weights) / float(weights.sum())

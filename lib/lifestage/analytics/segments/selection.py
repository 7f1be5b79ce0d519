"""Choose the number of segments: cluster for every k of a range, score, and take the best."""

from collections.abc import Sequence
from math import fsum

import numpy as np

from lifestage.analytics.segments.kmeans import (
    Clustering,
    Matrix,
    Vector,
    fit_kmeans,
    pairwise_squared_distances,
)
from lifestage.analytics.segments.model import ClusteringScore
from lifestage.analytics.segments.scaling import GRID


def cluster_each_k(
    points: Matrix, weights: Vector, k: tuple[int, int], starts: int, seed: int
) -> list[tuple[ClusteringScore, Clustering]]:
    """Return the best clustering for each k of the range with its score; k is at most the number of points."""
    least, greatest = (min(bound, len(weights)) for bound in k)
    found = (fit_kmeans(points, weights, n, starts, seed) for n in range(least, greatest + 1))
    return [(_score(points, weights, clustering), clustering) for clustering in found]


def choose_clustering(
    candidates: Sequence[tuple[ClusteringScore, Clustering]], min_share: float
) -> Clustering:
    """Return the clustering of greatest silhouette without a cluster below `min_share`; ties go to the smaller k.

    If each has a cluster below `min_share`, return the one whose smallest cluster is largest.
    """
    allowed = [(score, clustering) for score, clustering in candidates if score.min_share >= min_share]
    if allowed:
        return max(allowed, key=lambda pair: (pair[0].silhouette, -pair[0].k))[1]
    return max(candidates, key=lambda pair: (pair[0].min_share, -pair[0].k))[1]


def _score(points: Matrix, weights: Vector, clustering: Clustering) -> ClusteringScore:
    return ClusteringScore(
        k=len(clustering.centroids),
        inertia=clustering.inertia / GRID**2,
        silhouette=_silhouette(points, weights, clustering),
        min_share=float(clustering.sizes.min()) / float(weights.sum()),
    )


def _silhouette(points: Matrix, weights: Vector, clustering: Clustering) -> float:
    """Return the mean over users of 1 - a/b, where a is the distance to the own centroid and b to the next nearest.

    A single cluster has 0. This is the simplified silhouette of Vendramin, Campello and Hruschka (2010), with distances
    to centroids instead of to every member.
    """
    if len(clustering.centroids) == 1:
        return 0.0
    own, other = np.sort(pairwise_squared_distances(points, clustering.centroids), axis=0)[:2]
    ratios = np.sqrt(own / np.maximum(other, 1.0))
    return fsum((1.0 - ratios) * weights) / float(weights.sum())

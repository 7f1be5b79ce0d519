"""Weighted k-means on the driver, in whole numbers held as float64.

Coordinates and centroids are whole numbers of at most 2^22 (`lifestage.analytics.segments.scaling`). Squared distances
and the sums of a cluster's coordinates then stay below 2^53, where float64 arithmetic is exact. So no result depends on
the order of a sum, on BLAS, on its threads or on the size of a batch.

Points are (dimensions x points): numpy works along the long axis, several times faster than the other way.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Indices = NDArray[np.intp]

MAX_ITERATIONS = 300
# Lloyd iterations end when one gains less than this share of the inertia: ROUGH while starts compete, FINE at the end.
ROUGH, FINE = 1e-4, 1e-6
# Starts compete on a sample. Only the best of them continue on all points.
SAMPLE = 10_000
FINALISTS = 4
# Twenty starts alone ended up to 0.6 % above the best known inertia; with five swaps each, up to 0.25 %.
SWAPS = 5
# Blocks of this size stay in the cache, and OpenBLAS starts no threads for them (threads make it slower).
BLOCK = 2_048


@dataclass(frozen=True)
class Clustering:
    """Centroids, the squared distance of each point to the nearest one, and the sum and weight of each cluster."""

    centroids: Matrix
    nearest: Vector
    sums: Matrix
    sizes: Vector
    inertia: int


def fit_kmeans(points: Matrix, weights: Vector, k: int, starts: int, seed: int) -> Clustering:
    """Return the clustering of least inertia over the seeded starts; ties go to the earliest start.

    Args:
        points: Distinct points in a fixed order, at least k of them.
        weights: Number of users at each point.
        k: Number of clusters.
        starts: Number of independent k-means++ starts. A local search improves the best few.
        seed: Seed of the sample, the starts and the search.
    """
    sample = np.arange(len(weights))
    if len(weights) > SAMPLE:
        sample = np.sort(np.random.default_rng(seed).permutation(len(weights))[:SAMPLE])
    some, some_weights = points[:, sample], weights[sample]
    rivals = []
    for start in range(starts):
        centroids = _seed_centroids(some, some_weights, k, np.random.default_rng([seed, k, start]))
        rivals.append(run_lloyd(some, some_weights, centroids, ROUGH))
    rivals = sorted(rivals, key=lambda rival: rival.inertia)[:FINALISTS]
    rivals = [_improve(some, some_weights, rival, [seed, k, starts, i]) for i, rival in enumerate(rivals)]
    finals = [run_lloyd(points, weights, rival.centroids, FINE) for rival in rivals]
    return min(finals, key=lambda final: final.inertia)


def run_lloyd(points: Matrix, weights: Vector, centroids: Matrix, tolerance: float) -> Clustering:
    """Run Lloyd iterations from the given centroids until one gains less than the tolerance."""
    current = assign_points(points, weights, centroids)
    for _ in range(MAX_ITERATIONS):
        updated = assign_points(points, weights, _update_centroids(points, current))
        gain = current.inertia - updated.inertia
        if gain > 0:
            current = updated
        if gain <= tolerance * current.inertia:
            break
    return current


def assign_points(points: Matrix, weights: Vector, centroids: Matrix) -> Clustering:
    """Assign each point to its nearest centroid; ties go to the first centroid."""
    nearest = np.empty(len(weights))
    sums, sizes = np.zeros(centroids.shape), np.zeros(len(centroids))
    for block in _blocks(len(weights)):
        distances = pairwise_squared_distances(points[:, block], centroids)
        nearest[block] = distances.min(axis=0)
        members = keep_first_true(distances == nearest[block]) * weights[block]
        sums += members @ points[:, block].T
        sizes += members.sum(axis=1)
    return Clustering(centroids, nearest, sums, sizes, sum_exactly(nearest, weights))


def pairwise_squared_distances(points: Matrix, centroids: Matrix) -> Matrix:
    """Return the exact squared Euclidean distances (centroids x points), in squared grid steps."""
    distances = np.empty((len(centroids), points.shape[1]))
    for block in _blocks(points.shape[1]):
        np.matmul(-2.0 * centroids, points[:, block], out=distances[:, block])
    distances += np.square(points).sum(axis=0)
    distances += np.square(centroids).sum(axis=1)[:, None]
    return distances


def keep_first_true(hits: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep only the first true of each column, so that a tie goes to the first centroid."""
    if np.count_nonzero(hits) == hits.shape[1]:
        return hits
    firsts: NDArray[np.bool_] = hits & (np.cumsum(hits, axis=0) == 1)
    return firsts


def sum_exactly(values: Vector, weights: Vector) -> int:
    """Return the exact sum of whole values times whole weights, in two halves because the total can pass 2^63."""
    whole, counts = values.astype(np.int64), weights.astype(np.int64)
    high, low = (int((half * counts).sum()) for half in (whole >> 24, whole & 0xFFFFFF))
    return (high << 24) + low


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, n, BLOCK))


def _update_centroids(points: Matrix, current: Clustering) -> Matrix:
    """Return the mean of each cluster on the grid. An empty cluster takes one of the points farthest from its centroid."""
    centroids = np.rint(current.sums / np.maximum(current.sizes, 1.0)[:, None])
    empty = np.flatnonzero(current.sizes == 0)
    if len(empty):
        centroids[empty] = points.T[np.argsort(-current.nearest, kind="stable")[: len(empty)]]
    return centroids


def _seed_centroids(points: Matrix, weights: Vector, k: int, rng: np.random.Generator) -> Matrix:
    """Seed by greedy k-means++ (Arthur and Vassilvitskii 2007): of a few points drawn by squared distance, take the best."""
    trials = 2 + int(np.log(k))
    centroids = points.T[_draw_points(rng, weights, 1)]
    nearest = pairwise_squared_distances(points, centroids)[0]
    for _ in range(1, k):
        candidates = points.T[_draw_points(rng, nearest * weights, trials)]
        closer = np.minimum(pairwise_squared_distances(points, candidates), nearest)
        best = int(np.argmin((closer * weights).sum(axis=1)))
        centroids = np.vstack([centroids, candidates[best]])
        nearest = closer[best]
    return centroids


def _improve(points: Matrix, weights: Vector, current: Clustering, seed: list[int]) -> Clustering:
    """Improve by local search: swap a centroid for a point drawn by squared distance if that lowers the inertia.

    After Lattanzi and Sohler, A better k-means++ algorithm via local search (2019).
    """
    rng = np.random.default_rng(seed)
    for index in _draw_points(rng, current.nearest * weights, SWAPS):
        centroids = _swap_centroid(points, weights, current, points[:, index])
        swapped = run_lloyd(points, weights, centroids, ROUGH)
        if swapped.inertia < current.inertia:
            current = swapped
    return current


def _swap_centroid(points: Matrix, weights: Vector, current: Clustering, candidate: Vector) -> Matrix:
    """Return the centroids with the candidate in place of the one whose loss raises the inertia least."""
    distances = pairwise_squared_distances(points, current.centroids)
    members = keep_first_true(distances == current.nearest)
    runner_up = np.where(members, np.inf, distances).min(axis=0)
    offered = pairwise_squared_distances(points, candidate[None, :])[0]
    losses = (np.minimum(runner_up, offered) - np.minimum(current.nearest, offered)) * weights
    centroids = current.centroids.copy()
    centroids[int(np.argmin((members * losses).sum(axis=1)))] = candidate
    return centroids


def _draw_points(rng: np.random.Generator, masses: Vector, n: int) -> Indices:
    """Draw points in proportion to their mass, and never one of mass 0 while another has some."""
    cumulative = np.cumsum(masses)
    drawn: Indices = np.searchsorted(cumulative, rng.random(n) * cumulative[-1], side="right")
    drawn[drawn == len(masses)] -= 1
    return drawn

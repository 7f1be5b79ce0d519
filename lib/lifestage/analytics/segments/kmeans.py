"""Weighted k-means on the driver, in whole numbers held as float64.

Coordinates and centroids are whole numbers of at most 2^22 (`lifestage.analytics.segments.scaling`). Squared distances
and the sums of a cluster's coordinates then stay below 2^53, where float64 arithmetic is exact. So no result
depends on the order of a sum, on BLAS, on its threads or on the batch it sees.

Points are (dimensions x points): numpy works along the long axis, several times faster than the other way.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Indices = NDArray[np.intp]

MAX_ROUNDS = 300
# A round that gains less than this share of the inertia is the last: rough while starts compete, fine at the end.
ROUGH, FINE = 1e-4, 1e-6
# Starts compete on a sample and only the best of them finish on every point.
SAMPLE = 10_000
FINALISTS = 4
# Twenty starts alone ended up to 0.6 % above the best known inertia; with five swaps each, up to 0.25 %.
SWAPS = 5
# Blocks of this size stay in the cache, and OpenBLAS starts no threads for them (it is slower with them).
BLOCK = 2_048


@dataclass(frozen=True)
class Clustering:
    """Centroids, the squared distance of each point to the nearest, and the sums for the next round."""

    centroids: Matrix
    nearest: Vector
    sums: Matrix
    sizes: Vector
    inertia: int


def best_clustering(points: Matrix, weights: Vector, k: int, starts: int, seed: int) -> Clustering:
    """The clustering of least inertia over the seeded starts; ties go to the earliest start.

    Args:
        points: Distinct points in a fixed order, at least k of them.
        weights: How many users each point stands for.
        k: Number of clusters.
        starts: Independent k-means++ starts. The best few are improved by local search.
        seed: Seed of the sample, the starts and the search.
    """
    sample = _sample(len(weights), seed)
    some, their_weights = points[:, sample], weights[sample]
    rivals = [_start(some, their_weights, k, [seed, k, start]) for start in range(starts)]
    rivals = sorted(rivals, key=lambda rival: rival.inertia)[:FINALISTS]
    rivals = [_improve(some, their_weights, rival, [seed, k, starts, i]) for i, rival in enumerate(rivals)]
    finals = [lloyd(points, weights, rival.centroids, FINE) for rival in rivals]
    return min(finals, key=lambda final: final.inertia)


def lloyd(points: Matrix, weights: Vector, centroids: Matrix, tolerance: float) -> Clustering:
    """Lloyd's rounds from the given centroids until one gains less than the tolerance."""
    current = clustering(points, weights, centroids)
    for _ in range(MAX_ROUNDS):
        moved = clustering(points, weights, _centres(points, current))
        gain = current.inertia - moved.inertia
        if gain > 0:
            current = moved
        if gain <= tolerance * current.inertia:
            break
    return current


def clustering(points: Matrix, weights: Vector, centroids: Matrix) -> Clustering:
    """Every point at its nearest centroid; ties go to the first centroid."""
    nearest = np.empty(len(weights))
    sums, sizes = np.zeros(centroids.shape), np.zeros(len(centroids))
    for block in _blocks(len(weights)):
        distances = squared_distances(points[:, block], centroids)
        nearest[block] = distances.min(axis=0)
        members = first_true(distances == nearest[block]) * weights[block]
        sums += members @ points[:, block].T
        sizes += members.sum(axis=1)
    return Clustering(centroids, nearest, sums, sizes, weighted_sum(nearest, weights))


def squared_distances(points: Matrix, centroids: Matrix) -> Matrix:
    """The exact squared Euclidean distance (centroids x points), in squared grid steps."""
    distances = np.empty((len(centroids), points.shape[1]))
    for block in _blocks(points.shape[1]):
        np.matmul(-2.0 * centroids, points[:, block], out=distances[:, block])
    distances += np.square(points).sum(axis=0)
    distances += np.square(centroids).sum(axis=1)[:, None]
    return distances


def first_true(hits: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The first true of each column alone: a tie goes to the lowest centroid."""
    if np.count_nonzero(hits) == hits.shape[1]:
        return hits
    firsts: NDArray[np.bool_] = hits & (np.cumsum(hits, axis=0) == 1)
    return firsts


def weighted_sum(values: Vector, weights: Vector) -> int:
    """The exact sum of whole values times whole weights, in two halves because the total can pass 2^63."""
    whole, counts = values.astype(np.int64), weights.astype(np.int64)
    high, low = (int((half * counts).sum()) for half in (whole >> 24, whole & 0xFFFFFF))
    return (high << 24) + low


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, n, BLOCK))


def _sample(n: int, seed: int) -> Indices:
    if n <= SAMPLE:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).permutation(n)[:SAMPLE])


def _start(points: Matrix, weights: Vector, k: int, seed: list[int]) -> Clustering:
    return lloyd(points, weights, _plus_plus(points, weights, k, np.random.default_rng(seed)), ROUGH)


def _centres(points: Matrix, current: Clustering) -> Matrix:
    """The mean of each cluster on the grid; an empty cluster takes one of the points farthest from theirs."""
    centres = np.rint(current.sums / np.maximum(current.sizes, 1.0)[:, None])
    empty = np.flatnonzero(current.sizes == 0)
    if len(empty):
        centres[empty] = points.T[np.argsort(-current.nearest, kind="stable")[: len(empty)]]
    return centres


def _plus_plus(points: Matrix, weights: Vector, k: int, rng: np.random.Generator) -> Matrix:
    """Greedy k-means++ (Arthur and Vassilvitskii 2007): of a few points drawn by squared distance, the best."""
    trials = 2 + int(np.log(k))
    centroids = points.T[_draw(rng, weights, 1)]
    nearest = squared_distances(points, centroids)[0]
    for _ in range(1, k):
        candidates = points.T[_draw(rng, nearest * weights, trials)]
        closer = np.minimum(squared_distances(points, candidates), nearest)
        best = int(np.argmin((closer * weights).sum(axis=1)))
        centroids = np.vstack([centroids, candidates[best]])
        nearest = closer[best]
    return centroids


def _improve(points: Matrix, weights: Vector, current: Clustering, seed: list[int]) -> Clustering:
    """Local search: points drawn by squared distance take the place of a centroid where that pays.

    After Lattanzi and Sohler, A better k-means++ algorithm via local search (2019).
    """
    rng = np.random.default_rng(seed)
    for index in _draw(rng, current.nearest * weights, SWAPS):
        moved = lloyd(points, weights, _swapped(points, weights, current, points[:, index]), ROUGH)
        if moved.inertia < current.inertia:
            current = moved
    return current


def _swapped(points: Matrix, weights: Vector, current: Clustering, candidate: Vector) -> Matrix:
    """The centroids with the candidate in place of the one whose points lose least by it."""
    distances = squared_distances(points, current.centroids)
    members = first_true(distances == current.nearest)
    runner_up = np.where(members, np.inf, distances).min(axis=0)
    offered = squared_distances(points, candidate[None, :])[0]
    losses = (np.minimum(runner_up, offered) - np.minimum(current.nearest, offered)) * weights
    centroids = current.centroids.copy()
    centroids[int(np.argmin((members * losses).sum(axis=1)))] = candidate
    return centroids


def _draw(rng: np.random.Generator, masses: Vector, n: int) -> Indices:
    """Points drawn in proportion to their mass; one of mass 0 is not drawn while another has some."""
    cumulative = np.cumsum(masses)
    drawn: Indices = np.searchsorted(cumulative, rng.random(n) * cumulative[-1], side="right")
    drawn[drawn == len(masses)] -= 1
    return drawn

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.cluster import KMeans

from analytics.segments.builders import blobs
from lifestage.analytics.segments.kmeans import (
    assign_points,
    fit_kmeans,
    pairwise_squared_distances,
    run_lloyd,
    sum_exactly,
)

BIGGEST = 64 * 2**16


def grid(*rows):
    """Points in the order of the rows, as (dimensions x points)."""
    return np.array(rows, dtype=float).T.copy()


def test_two_clear_groups_are_found():
    points = grid((0, 0), (2, 0), (100, 100), (102, 100))
    found = fit_kmeans(points, np.ones(4), 2, starts=3, seed=1)
    assert sorted(found.centroids.tolist()) == [[1.0, 0.0], [101.0, 100.0]]
    assert (sorted(found.sizes), found.inertia) == ([2.0, 2.0], 4)


def test_a_weight_counts_like_that_many_points():
    found = fit_kmeans(grid((0,), (9,), (1000,)), np.array([2.0, 1.0, 1.0]), 2, starts=3, seed=1)
    assert sorted(found.centroids.ravel()) == [3.0, 1000.0]
    assert found.inertia == 2 * 9 + 36


def test_a_point_between_two_centroids_goes_to_the_first():
    found = assign_points(grid((5,), (5,), (10,)), np.ones(3), np.array([[0.0], [10.0]]))
    assert found.sizes.tolist() == [2.0, 1.0]
    twins = assign_points(grid((5,), (7,)), np.ones(2), np.array([[0.0], [0.0]]))
    assert twins.sizes.tolist() == [2.0, 0.0]


def test_an_empty_cluster_takes_a_far_point():
    found = run_lloyd(grid((0,), (1,), (900,)), np.ones(3), np.array([[0.0], [5000.0]]), 0.0)
    assert sorted(found.sizes) == [1.0, 2.0]


def test_as_many_clusters_as_points_have_no_inertia():
    points = grid((0, 1), (5, 5), (9, 2))
    assert fit_kmeans(points, np.ones(3), 3, starts=2, seed=1).inertia == 0


@given(
    hnp.arrays(np.int64, (9, 5), elements=st.integers(-BIGGEST, BIGGEST)),
    hnp.arrays(np.int64, (9, 3), elements=st.integers(-BIGGEST, BIGGEST)),
)
def test_distances_are_exact(points, centroids):
    expected = [
        [sum((int(a) - int(b)) ** 2 for a, b in zip(p, c, strict=True)) for p in points.T]
        for c in centroids.T
    ]
    assert pairwise_squared_distances(points.astype(float), centroids.T.astype(float)).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 2**53), st.integers(1, 2**20)), min_size=1, max_size=30))
def test_weighted_sums_are_exact_beyond_64_bits(pairs):
    values, weights = np.array(pairs, dtype=float).T
    assert sum_exactly(values, weights) == sum(value * weight for value, weight in pairs)


def test_blocks_and_batches_change_nothing():
    points = blobs(7_000, 4, 3, seed=2)
    centroids = points.T[:5]
    whole = pairwise_squared_distances(points, centroids)
    alone = [
        pairwise_squared_distances(points[:, [index]], centroids)[:, 0] for index in range(0, 7_000, 501)
    ]
    assert np.array_equal(whole[:, ::501].T, alone)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("n", "k"), [(400, 3), (800, 5), (1200, 8)])
def test_inertia_is_that_of_the_best_of_twenty_scikit_learn_starts(n, k, seed):
    points = blobs(n, 6, 5, seed)
    found = fit_kmeans(points, np.ones(n), k, starts=20, seed=9)
    oracle = KMeans(k, n_init=20, random_state=0, tol=1e-7).fit(points.T / 2**16)
    assert found.inertia / 2.0**32 <= 1.001 * oracle.inertia_


def test_starts_on_a_sample_end_with_the_inertia_of_scikit_learn():
    points = blobs(15_000, 4, 4, seed=5)
    found = fit_kmeans(points, np.ones(15_000), 4, starts=5, seed=9)
    oracle = KMeans(4, n_init=5, random_state=0).fit(points.T / 2**16)
    assert found.inertia / 2.0**32 <= 1.001 * oracle.inertia_


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_the_parts_of_a_clustering_are_consistent(seed, k):
    points, weights = np.unique(blobs(60, 2, 3, seed), axis=1, return_counts=True)
    found = fit_kmeans(np.ascontiguousarray(points), weights.astype(float), k, starts=3, seed=1)
    again = assign_points(points, weights.astype(float), found.centroids)
    assert (found.inertia, found.sizes.sum()) == (again.inertia, 60.0)
    assert np.array_equal(found.centroids, np.rint(found.centroids))

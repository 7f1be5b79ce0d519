import numpy as np
import pytest

from analytics.segments.builders import blobs
from lifestage.analytics.segments.kmeans import assign_points
from lifestage.analytics.segments.model import ClusteringScore
from lifestage.analytics.segments.scaling import GRID
from lifestage.analytics.segments.selection import choose_clustering, cluster_each_k


def tried(*scores):
    """Scores as (k, silhouette, min_share), each with the name of its clustering."""
    return [(ClusteringScore(k, 1.0, silhouette, share), f"k{k}") for k, silhouette, share in scores]


def test_the_greatest_silhouette_wins_among_those_without_a_tiny_cluster():
    assert choose_clustering(tried((2, 0.4, 0.3), (3, 0.6, 0.2), (4, 0.9, 0.001)), 0.05) == "k3"


def test_a_tie_goes_to_the_smaller_k():
    assert choose_clustering(tried((2, 0.5, 0.3), (3, 0.6, 0.2), (4, 0.6, 0.2)), 0.05) == "k3"


def test_if_all_have_a_tiny_cluster_the_largest_of_these_wins():
    assert choose_clustering(tried((2, 0.4, 0.01), (3, 0.9, 0.02), (4, 0.8, 0.02)), 0.05) == "k3"


def test_the_number_of_groups_is_found():
    points = blobs(400, 5, 4, seed=1, spread=0.2)
    scores = cluster_each_k(points, np.ones(400), (2, 6), starts=5, seed=1)
    assert [score.k for score, _ in scores] == [2, 3, 4, 5, 6]
    assert len(choose_clustering(scores, 0.02).centroids) == 4


def test_the_scores_have_known_values():
    points = np.array([[0.0, 2.0, 10.0, 12.0]]) * GRID
    ((score, found),) = cluster_each_k(points, np.array([1.0, 1.0, 1.0, 3.0]), (2, 2), starts=2, seed=1)
    # Centroids 1 and 11.5: own distances 1 1 1.5 0.5, other distances 11.5 9.5 9 11.
    assert sorted(found.centroids.ravel() / GRID) == [1.0, 11.5]
    expected = (1 - 1 / 11.5 + 1 - 1 / 9.5 + 1 - 1.5 / 9 + 3 * (1 - 0.5 / 11)) / 6
    assert score == ClusteringScore(2, 1 + 1 + 2.25 + 3 * 0.25, pytest.approx(expected, rel=1e-15), 2 / 6)


@pytest.mark.parametrize(("distinct", "expected"), [(1, [1]), (2, [2]), (4, [3, 4])])
def test_there_are_never_more_clusters_than_points(distinct, expected):
    points = np.arange(distinct, dtype=float)[None, :] * GRID
    scores = cluster_each_k(points, np.full(distinct, 5.0), (3, 8), starts=2, seed=1)
    assert [score.k for score, _ in scores] == expected
    assert assign_points(points, np.ones(distinct), scores[-1][1].centroids).inertia == 0

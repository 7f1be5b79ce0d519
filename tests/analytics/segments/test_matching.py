import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.segments.builders import feature, model
from lifestage.analytics.segments.matching import match_segment_ids
from lifestage.analytics.segments.scaling import GRID

OLD = [(0, 0), (10, 0), (0, 10)]


def ids_of(centroids, previous, features=None, features_hash="space"):
    fitted = features or previous.features
    return match_segment_ids(np.array(centroids, dtype=float) * GRID, fitted, features_hash, previous)


def test_the_ids_of_a_first_model_start_at_one():
    assert match_segment_ids(np.zeros((3, 1)), [feature()], "space", None) == ([1, 2, 3], [])


def test_moved_groups_keep_their_ids_in_any_order():
    assert ids_of([(1, 9), (1, 1), (11, 1)], model(OLD, ids=[4, 5, 7])) == ([7, 4, 5], [])


def test_a_far_centroid_gets_a_new_id_and_the_lost_id_is_retired():
    assert ids_of([(0, 0), (10, 0), (40, 40)], model(OLD)) == ([1, 2, 4], [3])


def test_a_centroid_that_the_old_model_assigns_elsewhere_gets_a_new_id():
    assert ids_of([(4.9, 0), (10, 0), (0, 10)], model(OLD))[0] == [1, 2, 3]
    assert ids_of([(5.1, 0), (10, 0), (0, 10)], model(OLD))[0] == [4, 2, 3]


def test_a_centroid_beyond_the_reach_gets_a_new_id():
    assert ids_of([(-7.4, 0), (10, 0), (0, 10)], model(OLD))[0] == [1, 2, 3]
    assert ids_of([(-7.6, 0), (10, 0), (0, 10)], model(OLD))[0] == [4, 2, 3]


def test_the_nearer_part_of_a_split_segment_keeps_the_id():
    assert ids_of([(2, 2), (1, 0), (10, 0), (0, 10)], model(OLD)) == ([4, 1, 2, 3], [])


def test_retired_ids_are_never_reused():
    assert ids_of([(0, 0), (99, 99)], model(OLD, ids=[2, 5, 6], retired_ids=[1, 9])) == (
        [2, 10],
        [1, 5, 6, 9],
    )


def test_ids_of_models_of_later_dates_are_not_free():
    found = match_segment_ids(
        np.array([[0.0], [99.0]]) * GRID, (feature("f0"),), "space", model([(0,), (9,)]), [2, 3, 8]
    )
    assert found == ([1, 9], [2])
    assert match_segment_ids(np.zeros((1, 1)), (feature(),), "space", None, [4]) == ([5], [])


def test_nothing_matches_if_the_features_differ():
    assert ids_of(OLD, model(OLD), features_hash="other") == ([4, 5, 6], [1, 2, 3])


def test_a_change_of_scaling_alone_changes_no_id():
    before = model([(-1,), (1,)], features=(feature(mean=10.0, scale=10.0),))
    # Raw 0 and 20, now seen with mean 20 and deviation 5.
    assert ids_of([(0,), (-4,)], before, [feature(mean=20.0, scale=5.0)]) == ([2, 1], [])


def test_a_feature_that_is_constant_in_one_model_does_not_count():
    fixed = (feature("f0"), feature("f1", low=7.0, high=7.0, mean=7.0))
    assert ids_of([(10, 0), (0, 0)], model([(0, 0), (10, 0)]), fixed) == ([2, 1], [])


def test_a_feature_that_one_model_leaves_out_does_not_count():
    """Its coordinates are missing from the centroids, and the others keep their order."""
    old = model([(0, 5, 0), (10, 5, 1)])
    assert ids_of([(10, 1), (0, 0)], old, (feature("f0"), feature("f2"))) == ([2, 1], [])
    assert ids_of(
        [(10, 3, 1), (0, 4, 0)],
        model([(0, 0), (10, 1)], features=(feature("f0"), feature("f2"))),
        (feature("f0"), feature("f1"), feature("f2")),
    ) == ([2, 1], [])


def test_a_single_segment_keeps_its_id_until_the_population_moves():
    assert ids_of([(0.5, 0)], model([(0, 0)])) == ([1], [])
    assert ids_of([(3, 0)], model([(0, 0)])) == ([2], [1])


centroid_lists = st.lists(
    st.tuples(st.integers(-30, 30), st.integers(-30, 30)), min_size=1, max_size=6, unique=True
)


@settings(max_examples=60, deadline=None)
@given(st.lists(centroid_lists, min_size=2, max_size=6))
def test_an_id_is_never_reused_over_any_history(history):
    current = model(history[0])
    ever = set(range(1, current.k + 1))
    for centroids in history[1:]:
        ids, retired = ids_of(centroids, current)
        known = {segment.segment_id for segment in current.segments}
        assert len(set(ids)) == len(ids)
        assert not (set(ids) - known) & ever
        ever |= set(ids)
        assert set(retired) == ever - set(ids)
        order = np.argsort(ids)
        current = model([centroids[i] for i in order], ids=sorted(ids), retired_ids=retired)

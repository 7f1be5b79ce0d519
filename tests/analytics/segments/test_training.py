from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.segments.builders import D, config, frame, grouped_users, user
from lifestage.analytics.segments.model import SegmentModel
from lifestage.analytics.segments.retraining import Retraining, describe_training
from lifestage.analytics.segments.tables import SEGMENT_MODELS
from lifestage.analytics.segments.training import train_model


def trained(spark, rows, previous=None, partitions=1, **changes):
    return train_model(frame(spark, rows, partitions), config(**changes), D, previous)


@pytest.fixture(scope="module")
def groups(spark_session):
    return trained(spark_session, grouped_users())


def test_three_groups_are_found_and_named(groups):
    assert (groups.k, groups.n_users) == (3, 300)
    assert [(segment.segment_id, segment.size) for segment in groups.segments] == [
        (1, 100),
        (2, 100),
        (3, 100),
    ]
    assert {segment.name for segment in groups.segments} == {
        "high spend, many visits",
        "few visits, discounts",
        "full price",
    }


def test_every_k_has_a_score(groups):
    assert [score.k for score in groups.scores] == [2, 3, 4]
    assert max(groups.scores, key=lambda score: score.silhouette).k == 3


def test_row_order_and_partitions_change_no_bit(spark, groups):
    shuffled = Random(1).sample(grouped_users(), 300)
    assert trained(spark, shuffled, partitions=64) == groups


@pytest.mark.parametrize("partitions", [2, 9])
def test_refinement_over_all_users_is_independent_of_partitions_too(spark, partitions):
    few = {"coreset": 100, "refinements": 2}
    expected = trained(spark, grouped_users(), **few)
    shuffled = Random(2).sample(grouped_users(), 300)
    assert trained(spark, shuffled, partitions=partitions, **few) == expected
    assert sum(segment.size for segment in expected.segments) == 300


def test_refinement_moves_the_coresets_centroids_to_the_means_of_all_users(spark, groups):
    refined = trained(spark, grouped_users(), coreset=100, refinements=5)
    assert [segment.centroid for segment in refined.segments] == [
        segment.centroid for segment in groups.segments
    ]


def test_a_model_is_the_same_after_a_round_trip_through_its_table(spark, groups):
    stored = spark.createDataFrame([groups.to_row()], SEGMENT_MODELS.schema)
    assert SegmentModel.from_row(stored.collect()[0]) == groups


def test_the_model_id_names_date_and_content(spark, groups):
    other = trained(spark, grouped_users(shift=1.1))
    assert groups.model_id.startswith("2026-06-30-")
    assert groups.model_id != other.model_id


def test_ids_survive_a_training_on_shifted_data(spark, groups):
    later = [row for row in grouped_users(as_of=D, shift=1.3) if row[0] > "u0050" or int(row[0][1:]) % 3 != 0]
    retrained = trained(spark, later, previous=groups)
    names = {segment.segment_id: segment.name for segment in groups.segments}
    assert {segment.segment_id: segment.name for segment in retrained.segments} == names
    assert [segment.size for segment in retrained.segments] != [segment.size for segment in groups.segments]
    assert retrained.retired_ids == ()


def test_a_name_survives_a_training_while_its_traits_hold(spark, groups):
    """Only the profile changes: the group that comes seldom for discounts now also spends least."""
    renamed = [
        replace(each, name="low spend, few visits") for each in groups.segments if each.name.startswith("few")
    ]
    others = [each for each in groups.segments if not each.name.startswith("few")]
    before = replace(groups, segments=tuple(sorted((*renamed, *others), key=lambda each: each.segment_id)))
    after = trained(spark, grouped_users(), previous=before)
    assert [(each.segment_id, each.name) for each in after.segments] == [
        (each.segment_id, each.name) for each in before.segments
    ]


def test_a_new_kind_of_user_gets_a_new_id(spark, groups):
    newcomers = [user(f"n{i:03}", spend=3000 + i, visits=1, share=0.0) for i in range(100)]
    kept = [row for row in grouped_users() if int(row[0][1:]) % 3 != 1]
    retrained = trained(spark, kept + newcomers, previous=groups, k=[3, 3])
    ids = {segment.segment_id for segment in retrained.segments}
    assert max(ids) > 3
    assert set(retrained.retired_ids) == {1, 2, 3} - ids != set()


def test_too_few_users_give_no_model(spark):
    assert trained(spark, []) is None
    assert trained(spark, grouped_users(9)) is None
    outsiders = [user(f"o{i}", is_member=i % 2 == 0 and None) for i in range(50)]
    assert trained(spark, outsiders + grouped_users(9)) is None


@pytest.mark.parametrize("share", [None, 0.25])
def test_a_feature_without_two_values_is_left_out_and_said(spark, share):
    model = trained(spark, [(*row[:4], share, row[5]) for row in grouped_users()])
    assert [each.name for each in model.features] == ["spend", "visits"]
    assert {len(segment.centroid) for segment in model.segments} == {2}
    assert describe_training(model, [model], config()) == Retraining(D, constant=("share",))


def test_a_feature_that_begins_to_vary_keeps_the_ids(spark):
    constant = trained(spark, [(*row[:4], 0.25, row[5]) for row in grouped_users()])
    later = trained(spark, grouped_users(), previous=constant)
    assert {segment.segment_id for segment in later.segments} == {1, 2, 3}
    assert [each.name for each in later.features] == ["spend", "visits", "share"]


def test_the_median_replaces_missing_values(spark, groups):
    rows = [(*row[:2], None, *row[3:]) if row[0] in {"u0002", "u0005"} else row for row in grouped_users()]
    assert trained(spark, rows).k == groups.k


def test_equal_users_are_one_segment(spark):
    model = trained(spark, [user(f"u{i}") for i in range(20)])
    assert [(segment.segment_id, segment.name, segment.size) for segment in model.segments] == [
        (1, "average", 20)
    ]


def test_there_are_no_more_segments_than_different_users(spark):
    model = trained(spark, [user(f"u{i}", spend=10 * (i % 2)) for i in range(20)], k=[3, 8], clip=[0, 100])
    assert (model.k, [segment.size for segment in model.segments]) == (2, [10, 10])


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_row_order_never_changes_the_model(spark_session, data):
    amounts = st.one_of(st.none(), st.integers(-500, 500), st.sampled_from([0, 10]))
    counts = st.one_of(st.none(), st.integers(0, 50))
    shares = st.one_of(st.none(), st.floats(0, 1))
    values = data.draw(st.lists(st.tuples(amounts, counts, shares), min_size=10, max_size=30))
    rows = [user(f"u{i:02}", date(2026, 6, 30), *value) for i, value in enumerate(values)]
    shuffled = data.draw(st.permutations(rows))
    model = trained(spark_session, rows, starts=2)
    assert trained(spark_session, shuffled, starts=2, partitions=5) == model
    assert sum(segment.size for segment in model.segments) == len(rows)
    assert len({segment.name for segment in model.segments}) == model.k

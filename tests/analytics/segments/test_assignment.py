from datetime import date
from math import sqrt
from random import Random

from analytics.segments.builders import D, config, feature, frame, grouped_users, model, user
from lifestage.analytics.segments.assignment import assign_segments, assign_segments_on_driver
from lifestage.analytics.segments.tables import USER_SEGMENTS
from lifestage.analytics.segments.training import train_model
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.storage.contracts import conform
from support.frames import assert_frames

EARLIER = date(2026, 3, 31)
PLANE = (feature("visits", "visits"), feature("share", "share"))


def plane(centroids, **values):
    return model(centroids, features=PLANE, **values)


def assigned(spark, rows, models, partitions=1):
    return conform(assign_segments(frame(spark, rows, partitions), models, config()), USER_SEGMENTS)


def assert_segments(actual, rows):
    assert_frames(actual, actual.sparkSession.createDataFrame(rows, USER_SEGMENTS.schema))


def test_a_user_belongs_to_the_nearest_centroid(spark):
    fit = plane([(0, 0), (10, 0), (0, 20)], ids=[1, 2, 5])
    actual = assigned(spark, [user("a", visits=9, share=1.0), user("b", visits=0, share=19.0)], {D: fit})
    assert_segments(
        actual,
        [
            ("a", D, "modelled", fit.model_id, 2, "segment 2", sqrt(2), 1, sqrt(82)),
            ("b", D, "modelled", fit.model_id, 5, "segment 5", 1.0, 1, 19.0),
        ],
    )


def test_ties_go_to_the_lowest_id(spark):
    fit = plane([(0, 0), (10, 0), (5, 5)], ids=[2, 3, 7])
    actual = assigned(spark, [user(visits=5, share=0.0)], {D: fit})
    assert_segments(actual, [("u1", D, "modelled", fit.model_id, 2, "segment 2", 5.0, 3, 5.0)])


def test_a_single_segment_has_no_runner_up(spark):
    fit = plane([(0, 0)])
    actual = assigned(spark, [user(visits=3, share=4.0)], {D: fit})
    assert_segments(actual, [("u1", D, "modelled", fit.model_id, 1, "segment 1", 5.0, None, None)])


def test_the_driver_assigns_the_same_segments_as_the_workers(spark):
    fit = plane([(0, 0), (10, 0), (0, 20)], ids=[1, 2, 5])
    rows = [user("a", visits=9, share=1.0), user("b", EARLIER), user("c", is_member=False)]
    models = {D: fit, EARLIER: None}
    few = [
        [row[name] for name in USER_SEGMENTS.names]
        for row in assign_segments_on_driver(frame(spark, rows), models, config())
    ]
    assert_frames(local_rows(spark, few, USER_SEGMENTS.schema), assigned(spark, rows, models))


def test_users_without_a_segment_stay_with_the_reason_as_status(spark):
    rows = [
        user("member", EARLIER),
        user("guest", EARLIER, is_member=False),
        user("guest", D, is_member=False),
        user("unknown", D, is_member=None),
        user("dateless", date(2026, 1, 1)),
    ]
    actual = assigned(spark, rows, {EARLIER: None, D: plane([(0, 0)])})
    nothing = [None] * 6
    assert_segments(
        actual,
        [
            ("member", EARLIER, "not_modelled", *nothing),
            ("guest", EARLIER, "not_eligible", *nothing),
            ("guest", D, "not_eligible", *nothing),
            ("unknown", D, "not_eligible", *nothing),
            ("dateless", date(2026, 1, 1), "not_modelled", *nothing),
        ],
    )


def test_each_date_uses_its_own_model_and_features(spark):
    old = model([(0,), (8,)], features=(feature("spend", "spend"),), trained_on=EARLIER)
    new = plane([(0, 0), (10, 0)], ids=[3, 4])
    rows = [user("a", EARLIER, spend=7, visits=0), user("a", D, spend=7, visits=0, share=0.0)]
    actual = assigned(spark, rows, {EARLIER: old, D: new})
    assert_segments(
        actual,
        [
            ("a", EARLIER, "modelled", old.model_id, 2, "segment 2", 1.0, 1, 7.0),
            ("a", D, "modelled", new.model_id, 3, "segment 3", 0.0, 4, 10.0),
        ],
    )


def test_the_models_median_replaces_a_missing_value(spark):
    fit = model([(0,), (8,)], features=(feature("spend", "spend", median=6.0),))
    actual = assigned(spark, [user(spend=None)], {D: fit})
    assert_segments(actual, [("u1", D, "modelled", fit.model_id, 2, "segment 2", 2.0, 1, 6.0)])


def test_an_empty_input_gives_no_rows(spark):
    assert_segments(assigned(spark, [], {D: plane([(0, 0)])}), [])
    assert_segments(assigned(spark, [user()], {}), [("u1", D, "not_modelled", *[None] * 6)])


def test_row_order_and_partitions_do_not_matter_and_sizes_match_training(spark):
    rows = grouped_users()
    fit = train_model(frame(spark, rows), config(), D, None)
    once = assigned(spark, rows, {D: fit})
    again = assigned(spark, Random(1).sample(rows, 300), {D: fit}, partitions=64)
    assert sorted(once.collect()) == sorted(again.collect())
    sizes = dict(once.groupBy("segment_id").count().collect())
    assert sizes == {segment.segment_id: segment.size for segment in fit.segments}

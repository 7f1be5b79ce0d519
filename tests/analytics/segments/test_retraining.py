"""What a training tells: segments that are new, ended or renamed, and constant features."""

from datetime import date, timedelta

from analytics.segments.builders import D, config, feature, model
from lifestage.analytics.segments.diagnose import _tell_changes
from lifestage.analytics.segments.retraining import Retraining, describe_training

BEFORE = D - timedelta(days=91)
OLD = model([(0,), (5,)], ids=[1, 2], names=["low spend", "high spend"], trained_on=BEFORE)
NEW = model([(0,), (5,)], ids=[1, 4], names=["average", "high spend"])


def test_a_training_is_compared_with_the_one_before():
    oldest = model([(0,)], ids=[1], names=["something else"], trained_on=date(2025, 1, 1))
    found = describe_training(NEW, [oldest, OLD, NEW], config())
    expected = Retraining(D, ((1, "low spend", "average"),), ((4, "high spend"),), ((2, "high spend"),))
    assert found == expected
    assert [*_tell_changes(found)] == [
        "segment 1 was renamed from `low spend` to `average`",
        "segment 4 `high spend` is new",
        "segment 2 `high spend` has ended",
    ]


def test_a_first_training_changed_nothing():
    assert describe_training(NEW, [NEW], config()) == Retraining(D)


def test_constant_features_are_named_while_the_configured_features_are_those_of_the_training():
    """A model of an earlier version still lists a constant, with equal clip bounds."""
    of = config()
    features = (feature("spend"), feature("share", low=0.0, high=0.0))
    found = model([(0, 0)], features=features, features_hash=of.features_hash)
    assert describe_training(found, [found], of).constant == ("visits", "share")
    assert [*_tell_changes(Retraining(D, constant=("share",)))] == ["left out, equal for all users: share"]
    assert describe_training(model([(0, 0)], features=features), [], of).constant == ()

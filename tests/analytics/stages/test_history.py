"""Stage history over several dates, and the coarser schemes."""

from datetime import date

import pytest

from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.stages.history import add_history, add_schemes
from lifestage.analytics.stages.tables import USER_STAGES
from lifestage.platform.config.yaml_files import packaged_yaml
from support.frames import assert_rows, build, shuffled

LADDER = StageLadder.model_validate(packaged_yaml("analytics/stages/defaults.yaml"))


def day(number):
    return date(2026, 3, number)


@pytest.fixture
def stages_of(spark):
    """Build rows of user_stages from one stage a day for each user; None leaves the day out."""

    def made(**lives):
        rows = [
            {"user_id": user, "as_of": day(number), "stage": stage, "rule": "true"}
            for user, life in lives.items()
            for number, stage in enumerate(life, 1)
            if stage
        ]
        return build(spark, USER_STAGES, rows)

    return made


def history_of(frame):
    return add_history(frame).select("user_id", "as_of", "stage", "observed_since", "previous_stage")


def test_a_stage_is_observed_from_the_first_date_of_its_spell(stages_of):
    frame = stages_of(u1=["novice", "novice", "mature", "mature", "novice"])
    expected = [
        ("u1", day(1), "novice", day(1), None),
        ("u1", day(2), "novice", day(1), None),
        ("u1", day(3), "mature", day(3), "novice"),
        ("u1", day(4), "mature", day(3), "novice"),
        ("u1", day(5), "novice", day(5), "mature"),
    ]
    assert_rows(history_of(frame), expected)
    assert_rows(history_of(shuffled(frame)), expected)


def test_each_user_has_a_history_of_their_own_and_a_date_without_them_is_no_change(stages_of):
    frame = stages_of(u1=["growth", None, "growth"], u2=[None, "visitor", "registered"])
    expected = [
        ("u1", day(1), "growth", day(1), None),
        ("u1", day(3), "growth", day(1), None),
        ("u2", day(2), "visitor", day(2), None),
        ("u2", day(3), "registered", day(3), "visitor"),
    ]
    assert_rows(history_of(frame), expected)


def test_an_empty_input_has_no_history(stages_of):
    assert history_of(stages_of()).isEmpty()


def test_a_coarser_scheme_is_a_column_with_null_for_unknown_stages(stages_of):
    frame = add_schemes(stages_of(u1=["dormant", "recalled", "asleep"]), LADDER)
    actual = frame.select("stage", "contact_to_recall", "activity", "growth_funnel")
    expected = [
        ("dormant", "active", "sleeping", "retain"),
        ("recalled", "recall", "active", "retain"),
        ("asleep", None, None, None),
    ]
    assert_rows(actual, expected)

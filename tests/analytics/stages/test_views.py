"""Order, display, views and descriptions of the packaged ladder."""

import pytest

from lifestage.analytics.stages.config import StageLadder
from lifestage.platform.config.yaml_files import packaged_yaml

LADDER = StageLadder.model_validate(packaged_yaml("analytics/stages/defaults.yaml"))
STAGES = [rung.stage for rung in LADDER.ladder]


def test_stages_are_tried_in_the_order_of_the_definitions():
    expected = "visitor registered churned dormant recalled reawakened novice declining growth mature"
    assert expected.split() == STAGES


def test_the_display_order_follows_a_life_and_ends_with_those_who_came_back():
    expected = "visitor registered novice growth mature declining dormant churned recalled reawakened"
    assert tuple(expected.split()) == LADDER.display


@pytest.mark.parametrize("view", LADDER.views)
def test_every_view_maps_every_stage(view):
    assert sorted(LADDER.views[view]) == sorted(STAGES)


@pytest.mark.parametrize(
    ("view", "coarse"),
    [
        ("contact_to_recall", {"contact", "registered", "active", "churned", "recall"}),
        ("activity", {"new", "active", "sleeping", "churned"}),
        ("growth_funnel", {"acquire", "activate", "retain", "monetise", "refer"}),
    ],
)
def test_every_coarse_stage_of_a_view_is_in_use(view, coarse):
    assert set(LADDER.views[view].values()) == coarse


def test_every_stage_has_a_description():
    assert all(rung.description for rung in LADDER.ladder)

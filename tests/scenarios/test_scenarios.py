"""Every business situation of this folder, played for real and compared with what has to come out."""

from collections import Counter
from pathlib import Path

import pytest

from support.frames import assert_frames
from support.scenarios import play, scenarios_in

SCENARIOS = scenarios_in(Path(__file__).parent)


@pytest.fixture(scope="module")
def played(spark_session, tmp_path_factory):
    return play(spark_session, tmp_path_factory.mktemp("scenarios"), SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_was_given_leads_to_what_was_expected(played, scenario):
    expected = played.expected(scenario)
    assert_frames(played.actual(scenario).select(*expected.columns), expected)


def test_scenarios_share_no_customers():
    """They are played together, so that each must be able to stand alone."""
    seen = Counter(name for scenario in SCENARIOS for name in scenario.people)
    assert [name for name, n in seen.items() if n > 1] == []

"""Default weights, and the repair of trained weights."""

import pytest

from lifestage.users.matching.learning import repair_weights
from lifestage.users.matching.model import LEVELS, build_settings
from users.matching.builders import COMPARISONS


def settings_of(*levels, share=0.01):
    """Settings of one comparison from (m, u) of each level. Splink leaves out what it has not seen: None."""
    made = [{"m_probability": m, "u_probability": u} for m, u in levels]
    made = [{name: number for name, number in level.items() if number is not None} for level in made]
    unknown = {"is_null_level": True}
    return {
        "probability_two_random_records_match": share,
        "comparisons": [{"comparison_levels": [unknown, *made]}],
    }


DEFAULTS = settings_of((0.9, 0.1), (0.1, 0.9))


def levels(settings):
    return settings["comparisons"][0]["comparison_levels"][1:]


def test_monotonic_weights_are_kept():
    found = settings_of((0.8, 0.01), (0.15, 0.1), (0.05, 0.89))
    assert levels(repair_weights(found, DEFAULTS, 100)) == levels(found)


@pytest.mark.parametrize(
    "found",
    [
        settings_of((0.2, 0.1), (0.7, 0.1), (0.1, 0.8)),
        settings_of((0.1, 0.2), (0.9, 0.8)),
        settings_of((0.9, None), (0.1, 0.9)),
        settings_of((None, 0.1), (0.1, 0.9)),
        settings_of((0.9, 0.0), (0.1, 1.0)),
    ],
)
def test_a_comparison_with_implausible_weights_gets_its_defaults(found):
    assert levels(repair_weights(found, DEFAULTS, 100)) == levels(DEFAULTS)


@pytest.mark.parametrize(("share", "bounded"), [(0.9, 2 / 99), (0.0, 2 / (100 * 99)), (0.001, 0.001)])
def test_the_share_of_matches_is_bounded(share, bounded):
    found = repair_weights(settings_of((0.9, 0.1), (0.1, 0.9), share=share), DEFAULTS, 100)
    assert found["probability_two_random_records_match"] == pytest.approx(bounded)


@pytest.mark.parametrize("kind", LEVELS)
def test_default_weights_sum_to_one_and_are_monotonic(kind):
    assert sum(level.m for level in LEVELS[kind]) == pytest.approx(1)
    assert sum(level.u for level in LEVELS[kind]) == pytest.approx(1)
    weights = [level.m / level.u for level in LEVELS[kind]]
    assert weights == sorted(weights, reverse=True)


def test_rare_names_weigh_more_only_where_weights_are_learned():
    for is_to_learn in (False, True):
        first = build_settings(COMPARISONS, [("born",)], is_to_learn)["comparisons"][0]["comparison_levels"][
            1
        ]
        assert ("tf_adjustment_column" in first) is is_to_learn

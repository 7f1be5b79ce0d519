"""What of learned settings is believed."""

import pytest

from lifestage.users.matching.learning import sound
from lifestage.users.matching.model import LEVELS, usual
from users.matching.builders import config


def learned(*levels, share=0.01):
    """Settings of one comparison with (same, others) for each level; None is left out, as Splink does."""
    made = [{"m_probability": same, "u_probability": others} for same, others in levels]
    made = [{name: number for name, number in level.items() if number is not None} for level in made]
    unknown = {"is_null_level": True}
    return {
        "probability_two_random_records_match": share,
        "comparisons": [{"comparison_levels": [unknown, *made]}],
    }


USUAL = learned((0.9, 0.1), (0.1, 0.9))


def levels(settings):
    return settings["comparisons"][0]["comparison_levels"][1:]


def test_what_is_in_order_is_believed():
    found = learned((0.8, 0.01), (0.15, 0.1), (0.05, 0.89))
    assert levels(sound(found, USUAL, 100)) == levels(found)


@pytest.mark.parametrize(
    "found",
    [
        learned((0.2, 0.1), (0.7, 0.1), (0.1, 0.8)),
        learned((0.1, 0.2), (0.9, 0.8)),
        learned((0.9, None), (0.1, 0.9)),
        learned((None, 0.1), (0.1, 0.9)),
        learned((0.9, 0.0), (0.1, 1.0)),
    ],
)
def test_a_comparison_of_which_closer_agreement_says_less_stays_usual(found):
    assert levels(sound(found, USUAL, 100)) == levels(USUAL)


@pytest.mark.parametrize(("share", "bounded"), [(0.9, 2 / 99), (0.0, 2 / (100 * 99)), (0.001, 0.001)])
def test_at_least_one_pair_matches_and_at_most_one_for_each_record(share, bounded):
    found = sound(learned((0.9, 0.1), (0.1, 0.9), share=share), USUAL, 100)
    assert found["probability_two_random_records_match"] == pytest.approx(bounded)


@pytest.mark.parametrize("kind", LEVELS)
def test_what_is_usual_adds_up_and_is_in_order(kind):
    assert sum(level.same for level in LEVELS[kind]) == pytest.approx(1)
    assert sum(level.others for level in LEVELS[kind]) == pytest.approx(1)
    weights = [level.same / level.others for level in LEVELS[kind]]
    assert weights == sorted(weights, reverse=True)


def test_rare_names_count_for_more_only_where_something_is_learned():
    for is_to_learn in (False, True):
        first = usual(config(), is_to_learn)["comparisons"][0]["comparison_levels"][1]
        assert ("tf_adjustment_column" in first) is is_to_learn

from importlib.resources import files

import pytest
import yaml
from pydantic import ValidationError

from analytics.segments.builders import FEATURES, config
from lifestage.analytics.segments.config import SegmentsConfig, expression_problems

COLUMNS = dict.fromkeys([
    "user_id", "as_of", "silence_days", "occasions_365d", "net_amount_365d", "mean_occasion_amount_365d",
    "active_days_90d", "n_categories_365d", "discount_share_365d", "cycle_days", "weekend_share_365d",
], "bigint")  # fmt: skip


def test_the_shipped_defaults_are_valid_over_the_shipped_features():
    shipped = yaml.safe_load((files("lifestage") / "analytics" / "segments" / "defaults.yaml").read_text())
    assert list(expression_problems(SegmentsConfig.model_validate(shipped), COLUMNS)) == []


def test_problems_of_expressions_come_all_at_once_with_their_keys():
    features = [{**FEATURES[0], "expression": "spendd"}, {**FEATURES[1], "expression": "rand()"}]
    columns = {"spend": "bigint", "as_of": "date"}
    found = list(expression_problems(config(eligible="now() > as_of", features=features), columns))
    assert {problem.split(":")[0] for problem in found} == {
        "eligible",
        "features[0].expression",
        "features[1].expression",
    }


def test_eligible_must_be_a_condition():
    told = "eligible: gives bigint, expected a condition that is true or false, in: silence_days"
    assert told in list(expression_problems(config(eligible="silence_days"), COLUMNS))


def test_every_contradiction_is_reported():
    with pytest.raises(ValidationError) as refused:
        config(features=[FEATURES[0], FEATURES[0]], k=[5, 3], clip=[99, 1])
    assert all(key in str(refused.value) for key in ("spend is named twice", "k: ", "clip: "))


@pytest.mark.parametrize(
    "wrong", [{"k": [1, 3]}, {"unknown": 1}, {"features": []}, {"training": {"every": "week"}}]
)
def test_impossible_values_are_refused(wrong):
    with pytest.raises(ValidationError):
        config(**wrong)


def test_the_features_hash_ignores_words_and_white_space():
    renamed = {**FEATURES[0], "name": "money", "high": "rich", "expression": " spend\n"}
    assert config(features=[renamed, *FEATURES[1:]]).features_hash == config().features_hash
    assert (
        config(features=[{**FEATURES[0], "log": False}, *FEATURES[1:]]).features_hash
        != config().features_hash
    )

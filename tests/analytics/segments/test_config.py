from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from pyspark.sql import types as T

from analytics.segments.builders import FEATURES, config
from lifestage.analytics.segments.checks import declare_expressions
from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.platform.config.configuration import Config
from lifestage.platform.result import DomainResult, Result
from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode

COLUMNS = dict.fromkeys([
    "user_id", "as_of", "silence_days", "occasions_365d", "net_amount_365d", "mean_occasion_amount_365d",
    "active_days_90d", "n_categories_365d", "discount_share_365d", "cycle_days", "weekend_share_365d",
], T.LongType())  # fmt: skip


def problems(settings, columns=COLUMNS):
    """The problems of the expressions of segments.yaml over features with these columns."""
    described = tuple(Column(name, kind, name) for name, kind in columns.items())
    table = Table("user_features", Kind.DERIVED, "", described, ("user_id",), WriteMode.OVERWRITE)
    whole = Config(Path("lifestage.yaml"), None, {"segments": settings}, "")
    results = [DomainResult(Result("user_features", rules=None), table, None)]
    return [problem for each in declare_expressions(whole, results) for problem in each.problems()]


def test_the_shipped_defaults_are_valid_over_the_shipped_features():
    shipped = yaml.safe_load((files("lifestage") / "analytics" / "segments" / "defaults.yaml").read_text())
    assert problems(SegmentsConfig.model_validate(shipped)) == []


def test_problems_of_expressions_come_all_at_once_with_their_keys():
    features = [{**FEATURES[0], "expression": "spendd"}, {**FEATURES[1], "expression": "rand()"}]
    columns = {"spend": T.LongType(), "as_of": T.DateType()}
    found = problems(config(eligible="now() > as_of", features=features), columns)
    assert {problem.split(": ")[1] for problem in found} == {
        "eligible",
        "features[0].expression",
        "features[1].expression",
    }


def test_eligible_must_be_a_condition():
    problem = (
        "segments.yaml: eligible: gives bigint, expected a condition that is true or false, in: silence_days"
    )
    assert problem in problems(config(eligible="silence_days"))


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

"""Checks of the section `report` of the main file."""

from collections.abc import Iterator, Sequence

from lifestage.activation.report.config import REPORT
from lifestage.platform.config.checks import prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.errors import did_you_mean
from lifestage.platform.result import DomainResult, rule_columns

# Types of which a report shows the mean; of a flag it is a share.
WITH_MEAN = {"decimal", "bigint", "int", "double", "boolean"}


def check_config(config: Config, results: Sequence[DomainResult]) -> Iterator[str]:
    """Problems of the features that profile a segment."""
    yield from prefix_file(config.file, _feature_problems(config, results))


def _feature_problems(config: Config, results: Sequence[DomainResult]) -> Iterator[str]:
    features = rule_columns(each for each in results if each.table.name == "user_features")
    for name in config.parts[REPORT].segment_features:
        kind = features.get(name, "").partition("(")[0]
        if not kind:
            yield f"report.segment_features: unknown feature {name}{did_you_mean(name, features)}"
        elif kind not in WITH_MEAN:
            yield f"report.segment_features: {name} is of type {kind}, of which there is no mean"

"""Checks of segments.yaml."""

from collections.abc import Iterator, Sequence

from lifestage.analytics.segments.config import SEGMENTS, SegmentsConfig, expression_problems
from lifestage.platform.config.checks import prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.result import DomainResult, rule_columns


def check_config(config: Config, results: Sequence[DomainResult]) -> Iterator[str]:
    """Yield the problems of the features and of the condition of eligibility."""
    problems = expression_problems(config.of(SegmentsConfig), rule_columns(results))
    yield from prefix_file(config.folder / SEGMENTS.name, problems)

"""The SQL expressions of segments.yaml."""

from collections.abc import Iterator, Sequence

from lifestage.analytics.segments.config import SEGMENTS, SegmentsConfig
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.config.expressions import ExpressionKind
from lifestage.platform.result import DomainResult, rule_columns


def declare_expressions(config: Config, results: Sequence[DomainResult]) -> Iterator[Expression]:
    """Yield the condition of eligibility and the features."""
    settings, file, known = config.of(SegmentsConfig), config.folder / SEGMENTS.name, rule_columns(results)
    yield Expression(file, "eligible", settings.eligible, known, ExpressionKind.CONDITION)
    for index, feature in enumerate(settings.features):
        yield Expression(
            file, f"features[{index}].expression", feature.expression, known, ExpressionKind.NUMBER
        )

"""Checks of audiences.yaml."""

from collections.abc import Iterator, Sequence

from lifestage.activation.audiences.config import AUDIENCES, AudiencesConfig
from lifestage.platform.config.checks import bad_names, prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.config.expressions import ExpressionKind
from lifestage.platform.result import DomainResult, rule_columns


def check_config(config: Config, _results: Sequence[DomainResult]) -> Iterator[str]:
    """Yield the problems of the names."""
    yield from prefix_file(config.folder / AUDIENCES.name, bad_names(config.of(AudiencesConfig).audiences))


def declare_expressions(config: Config, results: Sequence[DomainResult]) -> Iterator[Expression]:
    """Yield the rules."""
    file, known = config.folder / AUDIENCES.name, rule_columns(results)
    for name, audience in config.of(AudiencesConfig).audiences.items():
        yield Expression(file, f"audiences.{name}.when", audience.when, known, ExpressionKind.CONDITION)

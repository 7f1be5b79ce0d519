"""Checks of audiences.yaml."""

from collections.abc import Iterator, Sequence

from lifestage.activation.audiences.config import AUDIENCES, AudiencesConfig
from lifestage.platform.config.checks import bad_names, prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.expressions import condition_problems
from lifestage.platform.result import DomainResult, rule_columns


def check_config(config: Config, results: Sequence[DomainResult]) -> Iterator[str]:
    """Yield the problems of the rules."""
    yield from prefix_file(
        config.folder / AUDIENCES.name, _rule_problems(config.of(AudiencesConfig), results)
    )


def _rule_problems(config: AudiencesConfig, results: Sequence[DomainResult]) -> Iterator[str]:
    known = rule_columns(results)
    for name, audience in config.audiences.items():
        yield from bad_names([name])
        for problem in condition_problems(audience.when, known):
            yield f"audiences.{name}.when: {problem}"

"""Checks of the section `activity` of the main file."""

from collections.abc import Iterator, Sequence

from lifestage.ingestion.sources.checks import join_problems
from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.checks import join_names, prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.config.expressions import ExpressionKind
from lifestage.platform.result import DomainResult
from lifestage.users.activity.config import ACTIVITY
from lifestage.users.catalogue.checks import event_columns


def check_config(config: Config, _results: Sequence[DomainResult]) -> Iterator[str]:
    """Problems of lookups."""
    yield from prefix_file(config.file, _lookup_problems(config))


def _lookup_problems(config: Config) -> Iterator[str]:
    """Yield unknown reference tables, and keys that are not the whole key of the table."""
    for name, on in config.parts[ACTIVITY].lookups.items():
        reference = config.parts[REFERENCE_SOURCES].get(name)
        if reference:
            yield from join_problems(f"activity.lookups.{name}", on, reference)
        else:
            yield f"activity.lookups.{name}: unknown reference table, expected one of {join_names(config.parts[REFERENCE_SOURCES])}"


def declare_expressions(config: Config, _results: Sequence[DomainResult]) -> Iterator[Expression]:
    """Yield the keys of lookups, and the expressions of two event columns."""
    settings, columns = config.parts[ACTIVITY], event_columns(config)
    for name, on in settings.lookups.items():
        for column, sql in on.items():
            yield Expression(config.file, f"activity.lookups.{name}.{column}", sql, columns)
    yield Expression(config.file, "activity.category", settings.category, columns)
    yield Expression(
        config.file, "activity.is_new_product", settings.is_new_product, columns, ExpressionKind.CONDITION
    )

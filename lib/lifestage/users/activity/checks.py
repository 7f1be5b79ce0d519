"""Checks of the section `activity` of the main file."""

from collections.abc import Iterator, Sequence

from lifestage.ingestion.sources.checks import join_problems
from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.checks import join_names, prefix_file, sql_problems
from lifestage.platform.config.configuration import Config
from lifestage.platform.result import DomainResult
from lifestage.users.activity.config import ACTIVITY
from lifestage.users.catalogue.checks import event_columns


def check_config(config: Config, _results: Sequence[DomainResult]) -> Iterator[str]:
    """Problems of lookups, and of the expressions that use them."""
    yield from prefix_file(config.file, lookup_problems(config))


def lookup_problems(config: Config) -> Iterator[str]:
    """Problems of the section `activity`: unknown reference tables, keys and columns."""
    settings = config.parts[ACTIVITY]
    for name, on in settings.lookups.items():
        reference = config.parts[REFERENCE_SOURCES].get(name)
        if reference:
            yield from join_problems(f"activity.lookups.{name}", on, reference)
        else:
            yield f"activity.lookups.{name}: unknown reference table, expected one of {join_names(config.parts[REFERENCE_SOURCES])}"
        for column, sql in on.items():
            yield from sql_problems(f"activity.lookups.{name}.{column}", sql, event_columns(config))
    yield from sql_problems("activity.category", settings.category, event_columns(config))
    yield from sql_problems("activity.is_new_product", settings.is_new_product, event_columns(config))

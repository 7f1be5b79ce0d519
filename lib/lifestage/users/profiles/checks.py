"""Checks of the profile in features.yaml."""

from collections.abc import Iterator, Sequence

from lifestage.ingestion.sources.checks import reference_columns
from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.checks import columns_if_valid, join_names, prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.result import DomainResult
from lifestage.platform.units import Unit
from lifestage.users.catalogue.model import CATALOGUE
from lifestage.users.profiles.config import ProfilesConfig
from lifestage.users.profiles.tables import BECAUSE

BUILT_IN = {*BECAUSE, "because", "valid_to", "only_on"}


def check_config(config: Config, _results: Sequence[DomainResult]) -> Iterator[str]:
    """Problems of the attributes."""
    yield from prefix_file(config.folder / CATALOGUE.name, _profile_problems(config))


def _profile_problems(config: Config) -> Iterator[str]:
    """Problems of attributes: each expression uses the columns of one reference table with an identifier."""
    for name in sorted({*config.parts[CATALOGUE].profile} & BUILT_IN):
        yield f"profile.{name}: is the name of a built-in column"
    for name, attribute in config.parts[CATALOGUE].profile.items():
        if attribute.values and attribute.unit is not Unit.NAME:
            yield f"profile.{name}.values: only for unit name, not {attribute.unit}"
        for number, sql in enumerate(attribute.sources):
            key = f"profile.{name}.from.{number}"
            tables = {column.partition(".")[0] for column in columns_if_valid(sql)}
            if len(tables) != 1 or not tables <= config.of(ProfilesConfig).named_by.keys():
                yield f"{key}: expected columns of one of {join_names(config.of(ProfilesConfig).named_by)}, such as members.city, in: {sql}"


def declare_expressions(config: Config, _results: Sequence[DomainResult]) -> Iterator[Expression]:
    """Yield the SQL of the attributes that name a table with an identifier."""
    file, named_by = config.folder / CATALOGUE.name, config.of(ProfilesConfig).named_by
    for name, attribute in config.parts[CATALOGUE].profile.items():
        for number, sql in enumerate(attribute.sources):
            tables = {column.partition(".")[0] for column in columns_if_valid(sql)}
            for table in sorted(tables & named_by.keys()):
                yield Expression(file, f"profile.{name}.from.{number}", sql, _open_columns(table, config))


def _open_columns(table: str, config: Config) -> dict[str, str]:
    """Return the columns of a reference table that a profile may show, with SQL types. Identifiers are left out."""
    reference = config.parts[REFERENCE_SOURCES][table]
    private = {f"{table}.{identifier}" for identifier in reference.identifiers}
    columns = reference_columns(table, reference)
    return {column: sql_type for column, sql_type in columns.items() if column not in private}

"""Checks of reference/*.yaml."""

from collections.abc import Iterator, Sequence

from lifestage.ingestion.reference.tables import VERSION_COLUMNS
from lifestage.ingestion.sources.checks import (
    layout_expressions,
    layout_problems,
    private_columns,
    reference_identifiers,
    source_columns,
)
from lifestage.ingestion.sources.config import RATES, REFERENCE_SOURCES, SOURCES, ReferenceSource
from lifestage.ingestion.sources.layout import is_column_type
from lifestage.platform.config.checks import (
    bad_names,
    columns_if_valid,
    join_names,
    prefix_file,
)
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.result import DomainResult


def check_config(config: Config, _results: Sequence[DomainResult]) -> Iterator[str]:
    """Yield the problems of each reference table."""
    for name, source in config.parts[REFERENCE_SOURCES].items():
        file = config.folder / REFERENCE_SOURCES.name / f"{name}.yaml"
        problems = (
            *bad_names([name]),
            *_name_problems(name, config),
            *reference_problems(name, source, config),
            *sealed_problems(source),
        )
        yield from prefix_file(file, problems)


def declare_expressions(config: Config, _results: Sequence[DomainResult]) -> Iterator[Expression]:
    """Yield the SQL of each reference table."""
    for table, source in config.parts[REFERENCE_SOURCES].items():
        file, columns = config.folder / REFERENCE_SOURCES.name / f"{table}.yaml", source_columns(source)
        yield from layout_expressions(file, source)
        yield Expression(file, "valid_from", source.valid_from, columns)
        for name, sql in source.map.items():
            yield Expression(file, f"map.{name}", sql, columns)


def _name_problems(name: str, config: Config) -> Iterator[str]:
    if name in config.parts[SOURCES]:
        # Ledger and quarantine identify both by name.
        yield f"{name}: a reference table cannot have the name of a source"


def reference_problems(table: str, source: ReferenceSource, config: Config) -> Iterator[str]:
    """Yield the problems of one file of reference/."""
    yield from layout_problems(source)
    converts = any("currency_original" in other.map for other in config.parts[SOURCES].values())
    if table == RATES and converts and (source.key != ("currency",) or "rate" not in source.map):
        yield "key: this table converts amounts, expected the key currency and a column rate"
    for section in ("key", "identifiers", "sealed", "types"):
        for name in sorted(set(getattr(source, section)) - set(source.map)):
            yield f"{section}: {name} is not a column of map"
    for name, kind in source.types.items():
        if not is_column_type(kind) or kind == "local_timestamp":
            yield f"types.{name}: unknown type {kind}"
    for kind in sorted(set(source.identifiers.values()) - set(config.shared.identifiers)):
        yield f"identifiers: unknown identifier type {kind}, expected one of {join_names(config.shared.identifiers)}"
    for name, sql in {**source.map, "valid_from": source.valid_from}.items():
        key = name if name == "valid_from" else f"map.{name}"
        # A column that has the name of an identifier in a source counts as one.
        for column in (
            sorted(columns_if_valid(sql) & private_columns(config)) if name not in source.identifiers else ()
        ):
            yield f"{key}: column {column} holds an identifier in a source: name its type under identifiers"
    yield from _names_in_clear(source, config)
    for name in sorted({column.name for column in VERSION_COLUMNS} & {*source.map}):
        yield f"map.{name}: every reference table has a column of that name, choose another"


def _names_in_clear(source: ReferenceSource, config: Config) -> Iterator[str]:
    """Yield a problem for each column that shows an identifier in clear; flags and dates made of one are allowed."""
    private = reference_identifiers(config)
    for name in sorted({*source.map} - {*source.identifiers}):
        says_less = source.types.get(name, "string") in ("boolean", "date", "timestamp", "local_timestamp")
        for column in () if says_less else sorted(columns_if_valid(source.map[name]) & private):
            yield f"map.{name}: column {column} is an identifier of a reference table: name its type under identifiers"


def sealed_problems(source: ReferenceSource) -> Iterator[str]:
    """Yield the problems of sealed columns: they must be text, not joined, and not shown by another column."""
    for name in source.sealed:
        if name in source.key or name in source.identifiers:
            yield f"sealed: {name} is part of the key or an identifier, and cannot be joined if it is sealed"
        if source.types.get(name, "string") != "string":
            yield f"sealed: {name} is of type {source.types[name]}, expected string"
    private = {column for name in source.sealed for column in columns_if_valid(source.map.get(name, "NULL"))}
    for name in source.in_clear:
        # A flag or a year reveals less than the text; another text column may reveal all of it.
        is_text = source.types.get(name, "string") == "string" and name not in source.identifiers
        for column in sorted(columns_if_valid(source.map[name]) & private) if is_text else ():
            yield f"map.{name}: column {column} is sealed elsewhere: name {name} under sealed as well"

"""Checks of sources/*.yaml and of the identifiers that all sources share."""

import re
from collections.abc import Iterator, Sequence

from sqlglot import exp

from lifestage.ingestion.events.event_types import EVENT_TYPES
from lifestage.ingestion.events.tables import MAPPED_COLUMNS
from lifestage.ingestion.sources.checks import (
    column_types,
    join_problems,
    layout_problems,
    reference_identifiers,
)
from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES, Source
from lifestage.platform.config.checks import (
    bad_names,
    columns_if_valid,
    join_names,
    prefix_file,
    sql_problems,
)
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.expressions import condition_problems, instant_problems, parse
from lifestage.platform.errors import did_you_mean
from lifestage.platform.result import DomainResult

MAPPABLE = {column.name for column in MAPPED_COLUMNS} - {"attributes"}


def check_config(config: Config, _results: Sequence[DomainResult]) -> Iterator[str]:
    """Yield the problems of the sources, then those of the identifiers."""
    for name, source in config.parts[SOURCES].items():
        file = config.folder / SOURCES.name / f"{name}.yaml"
        yield from prefix_file(file, (*bad_names([name]), *source_problems(source, config)))
    yield from prefix_file(config.file, _identifier_problems(config))


def _identifier_problems(config: Config) -> Iterator[str]:
    """Yield the problems of the section `identifiers` of the main file."""
    for name, rules in config.shared.identifiers.items():
        for key, sql in (("normalise", rules.normalise), ("valid", rules.valid)):
            yield from sql_problems(f"identifiers.{name}.{key}", sql, {"value"})


def source_problems(source: Source, config: Config) -> Iterator[str]:
    """Yield the problems of one file of sources/."""
    known = {*source.columns, "file_name"}
    for lookup in source.lookups:
        reference = config.parts[REFERENCE_SOURCES].get(lookup.reference)
        if reference is None:
            yield f"lookups: unknown reference table {lookup.reference}, expected one of {join_names(config.parts[REFERENCE_SOURCES])}"
        else:
            known |= {f"{lookup.reference}.{column}" for column in reference.in_clear}
            yield from join_problems(f"lookups.{lookup.reference}.on", lookup.on, reference)
        for column, sql in lookup.on.items():
            yield from sql_problems(f"lookups.{lookup.reference}.on.{column}", sql, source.columns)
    yield from layout_problems(source)
    for name in sorted({"event_type", "event_at"} - set(source.map)):
        yield f"map.{name}: required key is missing"
    moment = source.map.get("event_at", "").strip("` ")
    if source.columns.get(moment) == "date":
        yield f"map.event_at: {moment} is a date, an event needs an instant: take noon of the zone (docs/how-to/add-a-source.md)"
    for name in sorted(
        _literal_results(source.map.get("event_type", "NULL")) - set(config.parts[EVENT_TYPES])
    ):
        yield f"map.event_type: unknown event type {name}: declare it in event_types.yaml{did_you_mean(name, config.parts[EVENT_TYPES])}"
    for name in sorted(set(source.map) - MAPPABLE):
        yield f"map.{name}: not a canonical column, expected one of {join_names(MAPPABLE)}"
    for section in ("key", "pii"):
        for name in sorted(set(getattr(source, section)) - set(source.columns)):
            yield f"{section}: unknown column {name}"
    if not source.key and re.search(r"\[[*#]\]", " ".join(source.fields.values())):
        yield "key: required if the elements of a list become rows: a replay reads all elements of a record again"
    if source.looks_back and not source.key:
        yield "key: required for version and delete_when"
    for kind in sorted(set(source.identifiers) - set(config.shared.identifiers)):
        yield f"identifiers.{kind}: unknown identifier type, expected one of {join_names(config.shared.identifiers)}"
    for key, sql in _source_expressions(source):
        if key != "map.event_at":
            yield from sql_problems(key, sql, known)
    types = {**dict.fromkeys(known, "unknown"), **column_types(source), "file_name": "string"}
    if instant := source.map.get("event_at"):
        for problem in instant_problems(instant, types):
            yield f"map.event_at: {problem}"
    for key, sql in _source_conditions(source):
        for problem in condition_problems(sql, types):
            yield f"{key}: {problem}"
    yield from _leaks(source, config)


def _literal_results(sql: str) -> set[str]:
    """Return the text literals that an expression may give: itself, or the branches of its CASE or IF."""
    try:
        tree = parse(sql)
    except ValueError:
        return set()
    branches = [branch.args["true"] for branch in tree.find_all(exp.If)]
    others = [node.args.get(key) for node in tree.find_all(exp.Case, exp.If) for key in ("default", "false")]
    return {
        node.this for node in (tree, *branches, *others) if isinstance(node, exp.Literal) and node.is_string
    }


def _source_expressions(source: Source) -> Iterator[tuple[str, str]]:
    for section in ("map", "attributes", "identifiers"):
        for name, sql in getattr(source, section).items():
            yield f"{section}.{name}", sql
    if source.version is not None:
        yield "version", source.version


def _source_conditions(source: Source) -> Iterator[tuple[str, str]]:
    for name, rule in source.rules.items():
        yield f"rules.{name}.check", rule.check
    if source.delete_when is not None:
        yield "delete_when", source.delete_when


def _leaks(source: Source, config: Config) -> Iterator[str]:
    """Yield a problem for each identifier column, of this source or a reference table, that would reach a table."""
    private = {*source.pii, *({*source.columns} & reference_identifiers(config))}
    for sql in source.identifiers.values():
        private |= columns_if_valid(sql)
    for column in sorted(set(source.key) & private - set(source.pii)):
        yield f"key: column {column} holds an identifier: name it under pii, so that the key is hashed"
    kept = {
        f"{section}.{name}": sql
        for section in ("map", "attributes")
        for name, sql in getattr(source, section).items()
    }
    for key, sql in {**kept, "version": source.version or "NULL"}.items():
        for column in sorted(columns_if_valid(sql) & private):
            yield f"{key}: column {column} holds an identifier and must not reach a table"

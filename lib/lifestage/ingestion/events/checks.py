"""Checks of sources/*.yaml and of the identifiers that all sources share."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlglot import exp

from lifestage.ingestion.events.event_types import EVENT_TYPES
from lifestage.ingestion.events.tables import MAPPED_COLUMNS
from lifestage.ingestion.sources.checks import (
    join_problems,
    layout_expressions,
    layout_problems,
    reference_columns,
    reference_identifiers,
    source_columns,
)
from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES, Source
from lifestage.platform.config.checks import (
    bad_names,
    columns_if_valid,
    join_names,
    prefix_file,
)
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.config.expressions import ExpressionKind, parse
from lifestage.platform.errors import did_you_mean
from lifestage.platform.result import DomainResult

MAPPABLE = {column.name for column in MAPPED_COLUMNS} - {"attributes"}


def check_config(config: Config, _results: Sequence[DomainResult]) -> Iterator[str]:
    """Yield the problems of the sources."""
    for name, source in config.parts[SOURCES].items():
        file = config.folder / SOURCES.name / f"{name}.yaml"
        yield from prefix_file(file, (*bad_names([name]), *source_problems(source, config)))


def declare_expressions(config: Config, _results: Sequence[DomainResult]) -> Iterator[Expression]:
    """Yield the SQL of the sources, then that of the identifiers."""
    for name, source in config.parts[SOURCES].items():
        yield from source_expressions(config.folder / SOURCES.name / f"{name}.yaml", source, config)
    for name, rules in config.shared.identifiers.items():
        yield Expression(config.file, f"identifiers.{name}.normalise", rules.normalise, {"value": "string"})
        yield Expression(
            config.file,
            f"identifiers.{name}.valid",
            rules.valid,
            {"value": "string"},
            ExpressionKind.CONDITION,
        )


def source_expressions(file: Path, source: Source, config: Config) -> Iterator[Expression]:
    """Yield the SQL of one file of sources/."""
    own = source_columns(source)
    columns, references = {**own}, config.parts[REFERENCE_SOURCES]
    yield from layout_expressions(file, source)
    for lookup in source.lookups:
        if lookup.reference in references:
            columns |= reference_columns(lookup.reference, references[lookup.reference])
        for column, sql in lookup.on.items():
            yield Expression(file, f"lookups.{lookup.reference}.on.{column}", sql, own)
    for section in ("map", "attributes", "identifiers"):
        for name, sql in getattr(source, section).items():
            kind = ExpressionKind.INSTANT if (section, name) == ("map", "event_at") else ExpressionKind.VALUE
            yield Expression(file, f"{section}.{name}", sql, columns, kind)
    if source.version is not None:
        yield Expression(file, "version", source.version, columns)
    for name, rule in source.rules.items():
        yield Expression(file, f"rules.{name}.check", rule.check, columns, ExpressionKind.CONDITION)
    if source.delete_when is not None:
        yield Expression(file, "delete_when", source.delete_when, columns, ExpressionKind.CONDITION)


def source_problems(source: Source, config: Config) -> Iterator[str]:
    """Yield the problems of one file of sources/."""
    for lookup in source.lookups:
        reference = config.parts[REFERENCE_SOURCES].get(lookup.reference)
        if reference is None:
            yield f"lookups: unknown reference table {lookup.reference}, expected one of {join_names(config.parts[REFERENCE_SOURCES])}"
        else:
            yield from join_problems(f"lookups.{lookup.reference}.on", lookup.on, reference)
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
        yield "key: required for version, delete_when and snapshot"
    for name in sorted({"version", "on_change", "lookback_days"} & source.model_fields_set):
        if source.snapshot:
            yield f"{name}: not with snapshot, where the row of the latest file counts"
    for kind in sorted(set(source.identifiers) - set(config.shared.identifiers)):
        yield f"identifiers.{kind}: unknown identifier type, expected one of {join_names(config.shared.identifiers)}"
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

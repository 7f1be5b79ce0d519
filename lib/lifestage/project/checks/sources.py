"""What lets data in: sources of events, reference tables, identifiers, lookups."""

import re
from collections.abc import Iterable, Iterator

from sqlglot import exp

from lifestage.ingestion.events.config import Source
from lifestage.ingestion.events.mapping import RATES
from lifestage.ingestion.events.tables import MAPPED_COLUMNS
from lifestage.ingestion.reference.config import ReferenceSource
from lifestage.ingestion.reference.tables import VERSION_COLUMNS
from lifestage.ingestion.sources.layout import FileLayout, is_type
from lifestage.platform.config.expressions import nearest, parse
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.project.checks.expressions import columns, keyed, listed
from lifestage.project.checks.features import event_columns, sound
from lifestage.project.registry import all_tables
from lifestage.project.settings import Config
from lifestage.users.pairs import FUZZY

MAPPABLE = {column.name for column in MAPPED_COLUMNS} - {"attributes"}
ENCODINGS = {"UTF-8", "ISO-8859-1"}  # Spark's decode() knows few, and a line break must be one byte
OFFSET_LETTERS = set("XxZzVO")
PATTERN_LETTERS = OFFSET_LETTERS | set("GyMLdDQqEFaBhKkHmsSn")  # what Spark knows for reading; no weeks


def source_problems(source: Source, config: Config) -> Iterator[str]:
    """A file of sources/."""
    known = {*source.columns, "file_name"}
    for lookup in source.lookups:
        reference = config.reference.sources.get(lookup.reference)
        if reference is None:
            yield f"lookups: unknown reference table {lookup.reference}, expected one of {listed(config.reference.sources)}"
        else:
            known |= {f"{lookup.reference}.{column}" for column in reference.in_clear}
            yield from join_problems(f"lookups.{lookup.reference}.on", lookup.on, reference)
        for column, sql in lookup.on.items():
            yield from keyed(f"lookups.{lookup.reference}.on.{column}", sql, source.columns)
    yield from _layout_problems(source)
    for name in sorted({"event_type", "event_at"} - set(source.map)):
        yield f"map.{name}: required key is missing"
    moment = source.map.get("event_at", "").strip("` ")
    if source.columns.get(moment) == "date":
        yield f"map.event_at: {moment} is a date, an event needs an instant: take noon of the zone (docs/how-to/add-a-source.md)"
    for name in sorted(_spelled_out(source.map.get("event_type", "NULL")) - set(config.ingest.event_types)):
        yield f"map.event_type: unknown event type {name}: declare it in event_types.yaml{nearest(name, config.ingest.event_types)}"
    for name in sorted(set(source.map) - MAPPABLE):
        yield f"map.{name}: not a canonical column, expected one of {listed(MAPPABLE)}"
    for section in ("key", "pii"):
        for name in sorted(set(getattr(source, section)) - set(source.columns)):
            yield f"{section}: unknown column {name}"
    if source.looks_back and not source.key:
        yield "key: required for version and delete_when"
    for kind in sorted(set(source.identifiers) - set(config.ingest.identifiers)):
        yield f"identifiers.{kind}: unknown identifier type, expected one of {listed(config.ingest.identifiers)}"
    for key, sql in _source_expressions(source):
        yield from keyed(key, sql, known)
    yield from _leaks(source, config)


def reference_problems(table: str, source: ReferenceSource, config: Config) -> Iterator[str]:
    """A file of reference/."""
    yield from _layout_problems(source)
    converts = any("currency_original" in other.map for other in config.ingest.sources.values())
    if table == RATES and converts and (source.key != ("currency",) or "rate" not in source.map):
        yield "key: amounts are converted by it, expected the key currency and a column rate"
    for section in ("key", "identifiers", "sealed", "types"):
        for name in sorted(set(getattr(source, section)) - set(source.map)):
            yield f"{section}: {name} is not a column of map"
    for name, kind in source.types.items():
        if not is_type(kind) or kind == "local_timestamp":
            yield f"types.{name}: unknown type {kind}"
    for kind in sorted(set(source.identifiers.values()) - set(config.ingest.identifiers)):
        yield f"identifiers: unknown identifier type {kind}, expected one of {listed(config.ingest.identifiers)}"
    for name, sql in {**source.map, "valid_from": source.valid_from}.items():
        key = name if name == "valid_from" else f"map.{name}"
        yield from keyed(key, sql, {*source.columns, "file_name"})
        # What an extract calls as a source calls an identifier is one.
        for column in (
            sorted(columns(sql) & _private_columns(config)) if name not in source.identifiers else ()
        ):
            yield f"{key}: column {column} holds an identifier in a source: name its type under identifiers"
    yield from _names_in_clear(source, config)
    for name in sorted({column.name for column in VERSION_COLUMNS} & {*source.map}):
        yield f"map.{name}: every reference table has a column of that name, choose another"


def _names_in_clear(source: ReferenceSource, config: Config) -> Iterator[str]:
    """What is an identifier of a table is in no other column of any, but as a flag or a date that follows from it."""
    private = _reference_identifiers(config)
    for name in sorted({*source.map} - {*source.identifiers}):
        says_less = source.types.get(name, "string") in ("boolean", "date", "timestamp", "local_timestamp")
        for column in () if says_less else sorted(columns(source.map[name]) & private):
            yield f"map.{name}: column {column} is an identifier of a reference table: name its type under identifiers"


def sealed_problems(source: ReferenceSource) -> Iterator[str]:
    """A sealed column is text of which nothing else is made, and of a kind that need not be compared in SQL."""
    for name in source.sealed:
        if name in source.key or name in source.identifiers:
            yield f"sealed: {name} is of the key or an identifier, which is joined to others"
        if source.types.get(name, "string") != "string":
            yield f"sealed: {name} is of type {source.types[name]}, expected string"
    private = {column for name in source.sealed for column in columns(source.map.get(name, "NULL"))}
    for name in source.in_clear:
        # A flag or a year made of it says less than the text; another text may say all of it.
        is_text = source.types.get(name, "string") == "string" and name not in source.identifiers
        for column in sorted(columns(source.map[name]) & private) if is_text else ():
            yield f"map.{name}: column {column} is sealed elsewhere: name {name} under sealed as well"


def table_name_problems(name: str, config: Config) -> Iterator[str]:
    """Reference tables live beside all others."""
    if name in all_tables(sound(config.features.catalogue), []):
        yield f"{name}: a reference table cannot have the name of another table"
    if name in config.ingest.sources:
        # Ledger and quarantine know both by their names.
        yield f"{name}: a reference table cannot have the name of a source"


def evidence_name_problems(name: str) -> Iterator[str]:
    """Evidence is told apart by the name of what gave it."""
    if name == FUZZY:
        yield f"{name}: is how evidence by matching is called, choose another name"


def identifier_problems(config: Config) -> Iterator[str]:
    """The identifiers of the main file."""
    for name, rules in config.ingest.identifiers.items():
        for key, sql in (("normalise", rules.normalise), ("valid", rules.valid)):
            yield from keyed(f"identifiers.{name}.{key}", sql, {"value"})
    # A packaged type that the project has taken away leaves a limit behind.
    known = {*config.ingest.identifiers, *packaged_yaml("project/defaults.yaml")["identifiers"]}
    for name, limits in config.identity.limits.items():
        for unknown in sorted({name, *limits} - known):
            yield f"identity.limits.{name}: unknown identifier type {unknown}, expected some of {listed(config.ingest.identifiers)}"
    for unknown in sorted({*config.identity.known} - known):
        yield f"identity.known: unknown identifier type {unknown}, expected some of {listed(config.ingest.identifiers)}"


def lookup_problems(config: Config) -> Iterator[str]:
    """The section activity of the main file."""
    for name, on in config.activity.lookups.items():
        reference = config.reference.sources.get(name)
        if reference:
            yield from join_problems(f"activity.lookups.{name}", on, reference)
        else:
            yield f"activity.lookups.{name}: unknown reference table, expected one of {listed(config.reference.sources)}"
        for column, sql in on.items():
            yield from keyed(f"activity.lookups.{name}.{column}", sql, event_columns(config))
    yield from keyed("activity.category", config.activity.category, event_columns(config))
    yield from keyed("activity.is_new_product", config.activity.is_new_product, event_columns(config))


def _layout_problems(layout: FileLayout) -> Iterator[str]:
    for name in sorted(set(layout.formats) - set(layout.columns)):
        yield f"formats.{name}: unknown column {name}"
    for name, pattern in layout.formats.items():
        letters = {letter for letter in re.sub("'[^']*'", "", pattern) if letter.isalpha()}
        if unknown := letters - PATTERN_LETTERS:
            yield f"formats.{name}: {listed(unknown)} is no letter of a date pattern such as yyyy-MM-dd, in: {pattern}"
        if layout.columns.get(name) == "timestamp" and not OFFSET_LETTERS & letters:
            yield f"formats.{name}: an instant needs an offset (XXX), or the column is a local_timestamp"
    if layout.encoding.upper() not in ENCODINGS:
        yield f"encoding: {layout.encoding} cannot be read, expected one of {listed(ENCODINGS)}"


def join_problems(key: str, on: Iterable[str], reference: ReferenceSource) -> Iterator[str]:
    """A row meets at most one version only where its whole key is given."""
    if set(on) != set(reference.key):
        yield f"{key}: expected SQL for each key column of the table: {listed(reference.key)}"


def _spelled_out(sql: str) -> set[str]:
    """The texts that an expression may give: itself, or the branches of its CASE or IF."""
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
    for name, rule in source.rules.items():
        yield f"rules.{name}.check", rule.check
    for key, sql in (("version", source.version), ("delete_when", source.delete_when)):
        if sql is not None:
            yield key, sql


def _private_columns(config: Config) -> set[str]:
    sources = config.ingest.sources.values()
    return {name for source in sources for name in source.pii} | {
        name for source in sources for sql in source.identifiers.values() for name in columns(sql)
    }


def _reference_identifiers(config: Config) -> set[str]:
    """Columns of extracts that any reference table calls an identifier."""
    return {
        column
        for source in config.reference.sources.values()
        for name in source.identifiers
        for column in columns(source.map.get(name, "NULL"))
    }


def _leaks(source: Source, config: Config) -> Iterator[str]:
    """Columns that hold an identifier, here or in a reference table, may reach a table as pseudonyms only."""
    private = {*source.pii, *({*source.columns} & _reference_identifiers(config))}
    for sql in source.identifiers.values():
        private |= columns(sql)
    for column in sorted(set(source.key) & private - set(source.pii)):
        yield f"key: column {column} holds an identifier: name it under pii, so that the key is hashed"
    kept = {
        f"{section}.{name}": sql
        for section in ("map", "attributes")
        for name, sql in getattr(source, section).items()
    }
    for key, sql in {**kept, "version": source.version or "NULL"}.items():
        for column in sorted(columns(sql) & private):
            yield f"{key}: column {column} holds an identifier and must not reach a table"

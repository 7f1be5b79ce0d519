"""What only the whole configuration can tell: names that must exist, expressions that must hold water."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sqlglot import exp

from lifestage.audiences.membership import OF_SEGMENT, OF_STAGE, OF_VALUE
from lifestage.core.expressions import (
    columns_of,
    condition_problems,
    nearest,
    number_problems,
    parse,
    problems_of,
)
from lifestage.core.files import FileLayout, is_type
from lifestage.features.config import BUILT_ON
from lifestage.features.mapping import layers
from lifestage.ingest.config import Source
from lifestage.ingest.mapping import RATES
from lifestage.reference.config import ReferenceSource
from lifestage.segments.config import expression_problems
from lifestage.settings import Config
from lifestage.stages.reachability import unreachable
from lifestage.tables.catalogue import Aggregate, Catalogue, Windows
from lifestage.tables.events import EVENT_COLUMNS, MAPPED_COLUMNS
from lifestage.tables.features import CATEGORY_COLUMNS, RHYTHM_COLUMNS, user_features, user_state
from lifestage.tables.publish import SNAPSHOT_USERS
from lifestage.tables.registry import all_tables
from lifestage.tables.segments import USER_SEGMENTS
from lifestage.tables.stages import USER_STAGES
from lifestage.tables.value import USER_VALUE
from lifestage.value.rfm import cells

ENRICHED = ("is_action", "local_hour", "is_new_product")
NAME = re.compile(r"[a-z][a-z0-9_]*")
# Columns beside those of the catalogue.
OF_OTHERS = {column.name for column in (*RHYTHM_COLUMNS, *CATEGORY_COLUMNS)}
TAKEN = {"user_id", "subject", "as_of", "status", "event_date", "event_month", *OF_OTHERS}
OF_OTHER_STEPS = [
    column
    for table, names in ((USER_STAGES, OF_STAGE), (USER_VALUE, OF_VALUE), (USER_SEGMENTS, OF_SEGMENT))
    for column in table.columns
    if column.name in names
]
MAPPABLE = {column.name for column in MAPPED_COLUMNS} - {"attributes"}
ENCODINGS = {"UTF-8", "ISO-8859-1"}  # Spark's decode() knows few, and a line break must be one byte
OFFSET_LETTERS = set("XxZzVO")
PATTERN_LETTERS = OFFSET_LETTERS | set("GyMLdDQqEFaBhKkHmsSn")  # what Spark knows for reading; no weeks


def check_config(config: Config, path: Path) -> Iterator[str]:
    """Every problem of a configuration whose files are each well formed, with file and key; `path` is its main file."""
    folder = path.parent
    for name, source in config.ingest.sources.items():
        problems = (*_misnamed([name]), *_source_problems(source, config))
        yield from _at(folder / "sources" / f"{name}.yaml", problems)
    for name, reference in config.reference.sources.items():
        problems = (
            *_misnamed([name]),
            *_table_name_problems(name, config),
            *_reference_problems(name, reference, config),
        )
        yield from _at(folder / "reference" / f"{name}.yaml", problems)
    yield from _at(path, _main_problems(config))
    yield from _at(folder / "features.yaml", _catalogue_problems(config))
    yield from _at(folder / "stages.yaml", _stage_problems(config))
    yield from _at(folder / "value.yaml", (*_rfm_problems(config), *_index_problems(config)))
    yield from _at(folder / "segments.yaml", _segment_problems(config))
    yield from _at(folder / "audiences.yaml", _audience_problems(config))


def _misnamed(names: Iterable[str]) -> Iterator[str]:
    """Names become columns, tables and folders, some in engines that do not tell cases apart."""
    for name in names:
        if not NAME.fullmatch(name):
            yield f"{name}: expected lower-case letters, digits and _, a letter first"


def _main_problems(config: Config) -> Iterator[str]:
    yield from _identifier_problems(config)
    yield from _lookup_problems(config)
    for destination, columns in config.publish.destinations.items():
        for name in sorted(set(columns) - set(SNAPSHOT_USERS.names)):
            yield f"publish.destinations.{destination}: unknown column {name}, expected some of {_list(SNAPSHOT_USERS.names)}"
    for name in sorted(set(config.report.segment_features) - _features(config).keys()):
        yield f"report.segment_features: unknown feature {name}"


def _at(file: object, problems: Iterable[str]) -> Iterator[str]:
    for problem in problems:
        yield f"{file}: {problem}"


def _keyed(key: str, sql: str, known: Iterable[str]) -> Iterator[str]:
    for problem in problems_of(sql, set(known)):
        yield f"{key}: {problem}"


def _layout_problems(layout: FileLayout) -> Iterator[str]:
    for name in sorted(set(layout.formats) - set(layout.columns)):
        yield f"formats.{name}: unknown column {name}"
    for name, pattern in layout.formats.items():
        letters = {letter for letter in re.sub("'[^']*'", "", pattern) if letter.isalpha()}
        if unknown := letters - PATTERN_LETTERS:
            yield f"formats.{name}: {_list(unknown)} is no letter of a date pattern such as yyyy-MM-dd, in: {pattern}"
        if layout.columns.get(name) == "timestamp" and not OFFSET_LETTERS & letters:
            yield f"formats.{name}: an instant needs an offset (XXX), or the column is a local_timestamp"
    if layout.encoding.upper() not in ENCODINGS:
        yield f"encoding: {layout.encoding} cannot be read, expected one of {_list(ENCODINGS)}"


def _source_problems(source: Source, config: Config) -> Iterator[str]:
    known = {*source.columns, "file_name"}
    for lookup in source.lookups:
        reference = config.reference.sources.get(lookup.reference)
        if reference is None:
            yield f"lookups: unknown reference table {lookup.reference}, expected one of {_list(config.reference.sources)}"
        else:
            known |= {f"{lookup.reference}.{column}" for column in reference.map}
            yield from _join_problems(f"lookups.{lookup.reference}.on", lookup.on, reference)
        for column, sql in lookup.on.items():
            yield from _keyed(f"lookups.{lookup.reference}.on.{column}", sql, source.columns)
    yield from _layout_problems(source)
    for name in sorted({"event_type", "event_at"} - set(source.map)):
        yield f"map.{name}: required key is missing"
    moment = source.map.get("event_at", "").strip("` ")
    if source.columns.get(moment) == "date":
        yield f"map.event_at: {moment} is a date, an event needs an instant: take noon of the zone (docs/how-to/add-a-source.md)"
    for name in sorted(_spelled_out(source.map.get("event_type", "NULL")) - set(config.ingest.event_types)):
        yield f"map.event_type: unknown event type {name}: declare it in event_types.yaml{nearest(name, config.ingest.event_types)}"
    for name in sorted(set(source.map) - MAPPABLE):
        yield f"map.{name}: not a canonical column, expected one of {_list(MAPPABLE)}"
    for section in ("key", "pii"):
        for name in sorted(set(getattr(source, section)) - set(source.columns)):
            yield f"{section}: unknown column {name}"
    if source.looks_back and not source.key:
        yield "key: required for version and delete_when"
    for kind in sorted(set(source.identifiers) - set(config.ingest.identifiers)):
        yield f"identifiers.{kind}: unknown identifier type, expected one of {_list(config.ingest.identifiers)}"
    for key, sql in _source_expressions(source):
        yield from _keyed(key, sql, known)
    yield from _leaks(source)


def _join_problems(key: str, on: Iterable[str], reference: ReferenceSource) -> Iterator[str]:
    """A row meets at most one version only where its whole key is given."""
    if set(on) != set(reference.key):
        yield f"{key}: expected SQL for each key column of the table: {_list(reference.key)}"


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
        name for source in sources for sql in source.identifiers.values() for name in _columns(sql)
    }


def _leaks(source: Source) -> Iterator[str]:
    """Columns that hold an identifier may reach a table as pseudonyms only."""
    private = set(source.pii)
    for sql in source.identifiers.values():
        private |= _columns(sql)
    for column in sorted(set(source.key) & private - set(source.pii)):
        yield f"key: column {column} holds an identifier: name it under pii, so that the key is hashed"
    for section in ("map", "attributes"):
        for name, sql in getattr(source, section).items():
            for column in sorted(_columns(sql) & private):
                yield f"{section}.{name}: column {column} holds an identifier and must not reach a table"


def _columns(sql: str) -> set[str]:
    try:
        return columns_of(sql)
    except ValueError:
        return set()


def _table_name_problems(name: str, config: Config) -> Iterator[str]:
    if name in all_tables(_sound(config.features.catalogue), []):
        yield f"{name}: a reference table cannot have the name of another table"


def _reference_problems(table: str, source: ReferenceSource, config: Config) -> Iterator[str]:
    yield from _layout_problems(source)
    converts = any("currency_original" in other.map for other in config.ingest.sources.values())
    if table == RATES and converts and (source.key != ("currency",) or "rate" not in source.map):
        yield "key: amounts are converted by it, expected the key currency and a column rate"
    for section in ("key", "identifiers", "types"):
        for name in sorted(set(getattr(source, section)) - set(source.map)):
            yield f"{section}: {name} is not a column of map"
    for name, kind in source.types.items():
        if not is_type(kind) or kind == "local_timestamp":
            yield f"types.{name}: unknown type {kind}"
    for kind in sorted(set(source.identifiers.values()) - set(config.ingest.identifiers)):
        yield f"identifiers: unknown identifier type {kind}, expected one of {_list(config.ingest.identifiers)}"
    for name, sql in {**source.map, "valid_from": source.valid_from}.items():
        key = name if name == "valid_from" else f"map.{name}"
        yield from _keyed(key, sql, {*source.columns, "file_name"})
        # What an extract calls as a source calls an identifier is one.
        for column in (
            sorted(_columns(sql) & _private_columns(config)) if name not in source.identifiers else ()
        ):
            yield f"{key}: column {column} holds an identifier in a source: name its type under identifiers"


def _identifier_problems(config: Config) -> Iterator[str]:
    for name, rules in config.ingest.identifiers.items():
        for key, sql in (("normalise", rules.normalise), ("valid", rules.valid)):
            yield from _keyed(f"identifiers.{name}.{key}", sql, {"value"})


def _event_columns(config: Config) -> set[str]:
    known = {column.name for column in EVENT_COLUMNS} | set(ENRICHED)
    for name in config.activity.lookups:
        if name in config.reference.sources:
            known |= {f"{name}.{column}" for column in config.reference.sources[name].map}
    return known


def _lookup_problems(config: Config) -> Iterator[str]:
    for name, on in config.activity.lookups.items():
        reference = config.reference.sources.get(name)
        if reference:
            yield from _join_problems(f"activity.lookups.{name}", on, reference)
        else:
            yield f"activity.lookups.{name}: unknown reference table, expected one of {_list(config.reference.sources)}"
        for column, sql in on.items():
            yield from _keyed(f"activity.lookups.{name}.{column}", sql, _event_columns(config))
    yield from _keyed("activity.category", config.activity.category, _event_columns(config))
    yield from _keyed("activity.is_new_product", config.activity.is_new_product, _event_columns(config))


def _catalogue_problems(config: Config) -> Iterator[str]:
    catalogue = config.features.catalogue
    events = _event_columns(config)
    sections = (catalogue.measures, catalogue.days, catalogue.dates, catalogue.features)
    names = [name for section in sections for name in section]
    yield from _misnamed(names)
    taken = [*names, *TAKEN]
    for name in sorted({name for name in names if taken.count(name) > 1}):
        yield f"{name}: the catalogue has it twice, or it is a column that is always there"
    for name, measure in catalogue.measures.items():
        if measure.expression is None and measure.aggregate is not Aggregate.COUNT:
            yield f"measures.{name}.expression: required for {measure.aggregate}"
        for key, sql in (("expression", measure.expression), ("filter", measure.filter)):
            if sql is not None:
                yield from _keyed(f"measures.{name}.{key}", sql, events)
    days = {*catalogue.measures, "event_date"}
    for name, day in catalogue.days.items():
        yield from _keyed(f"days.{name}.expression", day.expression, days)
    for name, mark in catalogue.dates.items():
        yield from _keyed(f"dates.{name}.when", mark.when, days | set(catalogue.days))
    for name in sorted(set(catalogue.windows) - set(_known_windows(catalogue))):
        yield f"windows.{name}: neither a measure nor a day"
    sound = _sound(catalogue)
    windows = {window.name for window in sound.all_windows()}
    for name in sorted(BUILT_ON - {*catalogue.measures, *catalogue.days, *catalogue.dates, *windows}):
        yield f"{name}: the rhythm of every user is built on it, it cannot be taken away"
    yield from _feature_problems(sound)


def _feature_problems(catalogue: Catalogue) -> Iterator[str]:
    known = {*user_state(catalogue).names, *user_features(catalogue).names, "as_of"}
    for name, feature in catalogue.features.items():
        yield from _keyed(f"features.{name}.expression", feature.expression, known)
    try:
        layers(catalogue)
    except ValueError as error:
        yield f"features: {error}"


def _known_windows(catalogue: Catalogue) -> dict[str, Windows]:
    return {
        name: spans
        for name, spans in catalogue.windows.items()
        if name in {*catalogue.measures, *catalogue.days}
    }


def _sound(catalogue: Catalogue) -> Catalogue:
    """The catalogue without windows of nothing, which are reported apart."""
    return catalogue.model_copy(update={"windows": _known_windows(catalogue)})


def _features(config: Config) -> dict[str, str]:
    """Every feature with its type."""
    columns = user_features(_sound(config.features.catalogue)).columns
    return {column.name: column.type.simpleString() for column in columns}


def _stage_problems(config: Config) -> Iterator[str]:
    ladder = config.stages
    names = [rung.stage for rung in ladder.ladder]
    found = [
        f"ladder.{number} ({rung.stage}): {problem}"
        for number, rung in enumerate(ladder.ladder)
        for problem in condition_problems(rung.when, _features(config))
    ]
    yield from found
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"ladder: stage {name} is defined twice"
    if "net_amount_30d" not in _features(config):
        yield "stage_totals: needs the feature net_amount_30d: declare its window in features.yaml"
    if set(ladder.display) != set(names):
        yield f"display: expected each stage once: {_list(names)}"
    for view, mapping in ladder.views.items():
        if set(mapping) != set(names):
            yield f"views.{view}: expected each stage once: {_list(names)}"
    if not found:
        for stage in unreachable([(rung.stage, rung.when) for rung in ladder.ladder]):
            yield f"ladder: no user can ever reach {stage}: an earlier condition always wins or its own never holds"


def _rfm_problems(config: Config) -> Iterator[str]:
    rfm = config.value.rfm
    for pattern in rfm.names:
        if not any(cells({pattern: pattern}).values()):
            yield f"rfm.names.{pattern}: matches no cell, expected two digits of 1 to 5 such as 51 or [1-2][3-4]"
    for (r, f), names in cells(rfm.names).items():
        if len(names) != 1:
            yield f"rfm.names: cell {r}{f} has {len(names)} names ({_list(names)}), expected exactly one"
    needed = {f"occasions_{rfm.period_days}d", f"net_amount_{rfm.period_days}d", "recency_days"}
    for name in sorted(needed - _features(config).keys()):
        yield f"rfm.period_days: needs the feature {name}: declare its window in features.yaml"


def _index_problems(config: Config) -> Iterator[str]:
    for name, dimension in config.value.index.dimensions.items():
        yield from _misnamed([name, *dimension.components])
        for component, sql in dimension.components.items():
            for problem in number_problems(sql, _features(config)):
                yield f"index.dimensions.{name}.components.{component}: {problem}"


def _audience_problems(config: Config) -> Iterator[str]:
    known = _features(config) | {column.name: column.type.simpleString() for column in OF_OTHER_STEPS}
    for name in config.audiences.attributes:
        reference = config.reference.sources.get(name)
        if reference is None:
            yield f"attributes: unknown reference table {name}, expected some of {_list(config.reference.sources)}"
        elif len(reference.key) != 1 or reference.key[0] not in reference.identifiers:
            yield f"attributes: {name} has the key {_list(reference.key)}, expected one identifier"
        else:
            known |= {f"{name}.{column}": reference.types.get(column, "string") for column in reference.map}
    for name, audience in config.audiences.audiences.items():
        yield from _misnamed([name])
        for problem in condition_problems(audience.when, known):
            yield f"audiences.{name}.when: {problem}"


def _segment_problems(config: Config) -> Iterator[str]:
    yield from expression_problems(config.segments, _features(config))


def _list(names: Iterable[str] | Mapping[str, object]) -> str:
    return ", ".join(sorted(names)) or "none"

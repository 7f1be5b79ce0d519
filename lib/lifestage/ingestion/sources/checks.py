"""Checks that event sources and reference sources share."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES, ReferenceSource
from lifestage.ingestion.sources.decoding import codec_name
from lifestage.ingestion.sources.layout import FileLayout, Format
from lifestage.ingestion.sources.notation import EPOCHS, NUMBERS
from lifestage.ingestion.sources.paths import list_path, parse_path
from lifestage.platform.config.checks import columns_if_valid, join_names
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.config.expressions import ExpressionKind

# The formats that have a key, for keys that not all of them have.
FORMATS_BY_KEY = {
    **dict.fromkeys(("delimiter", "quote", "escape"), (Format.CSV,)),
    **dict.fromkeys(("skip_lines", "header", "extra_columns"), (Format.CSV, Format.EXCEL)),
    "encoding": (Format.CSV, Format.JSON),
    "sheet": (Format.EXCEL,),
}
NUMBER_TYPES = ("int", "bigint", "double", "decimal")
TIME_TYPES = ("timestamp", "local_timestamp")
OFFSET_LETTERS = set("XxZzVO")
PATTERN_LETTERS = OFFSET_LETTERS | set(
    "GyMLdDQqEFaBhKkHmsSn"
)  # letters that Spark can parse; weeks are not among them


def layout_problems(layout: FileLayout) -> Iterator[str]:
    """Yield the problems of the layout of a source's files."""
    lower = Counter(name.lower() for name in layout.columns)
    for name in sorted(layout.columns):
        if lower[name.lower()] > 1:
            yield f"columns.{name}: another column differs in upper and lower case only: give it another name with fields"
        if name.startswith("_") or name == "file_name":
            yield f"columns.{name}: lifestage uses this name itself: give the column another one with fields"
    for name in sorted(set(layout.formats) - set(layout.columns)):
        yield f"formats.{name}: unknown column {name}"
    for name, pattern in layout.formats.items():
        sql_type = layout.columns.get(name, "date")
        if pattern in NUMBERS or pattern in EPOCHS:
            if not (sql_type.startswith(NUMBER_TYPES) if pattern in NUMBERS else sql_type in TIME_TYPES):
                yield f"formats.{name}: {pattern} is no format of a column of type {sql_type}"
            continue
        if sql_type not in (*TIME_TYPES, "date"):
            yield f"formats.{name}: a pattern of dates is no format of a column of type {sql_type}"
            continue
        letters = {letter for letter in re.sub("'[^']*'", "", pattern) if letter.isalpha()}
        if unknown := letters - PATTERN_LETTERS:
            yield f"formats.{name}: {join_names(unknown)} is not a letter of a date pattern such as yyyy-MM-dd, in: {pattern}"
        if sql_type == "timestamp" and not OFFSET_LETTERS & letters:
            yield f"formats.{name}: an instant needs an offset (XXX): add it, or declare the column local_timestamp"
    if codec_name(layout.encoding) is None:
        yield f"encoding: {layout.encoding} is not known, expected a name such as UTF-8, Windows-1252, GB18030 or UTF-16"
    for name in sorted(set(layout.fields) - set(layout.columns)):
        yield f"fields.{name}: unknown column {name}"
    if layout.format not in (Format.CSV, Format.EXCEL):
        yield from _path_problems(layout)
    for key, formats in FORMATS_BY_KEY.items():
        if key in layout.model_fields_set and layout.format not in formats:
            yield f"{key}: is for {' and '.join(formats)} only"


def _path_problems(layout: FileLayout) -> Iterator[str]:
    paths = []
    for name, text in layout.fields.items():
        try:
            paths.append(parse_path(text))
            list_path(paths)
        except ValueError as error:
            yield f"fields.{name}: {error}"


def layout_expressions(file: Path, layout: FileLayout) -> Iterator[Expression]:
    """Yield the SQL of the layout of a source's files."""
    if layout.skip_when is not None:
        columns = {**source_columns(layout), "_raw": "string"}
        yield Expression(file, "skip_when", layout.skip_when, columns, ExpressionKind.CONDITION)


def source_columns(layout: FileLayout) -> dict[str, str]:
    """Return the columns that the SQL of a source may use, with SQL types: the declared ones, and the name of the file."""
    declared = {name: _sql_type(kind) for name, kind in layout.columns.items()}
    return {**declared, "file_name": "string"}


def reference_columns(name: str, source: ReferenceSource) -> dict[str, str]:
    """Return the columns of a reference table as `table.column`, with SQL types. Sealed ones are left out."""
    return {f"{name}.{column}": _sql_type(source.types.get(column, "string")) for column in source.in_clear}


def _sql_type(kind: str) -> str:
    """Return the type of a column in Spark: a local time becomes a timestamp when it is read."""
    return kind.replace("local_", "")


def join_problems(key: str, on: Iterable[str], reference: ReferenceSource) -> Iterator[str]:
    """Yield a problem unless a join gives the whole key: a row must meet at most one version."""
    if set(on) != set(reference.key):
        yield f"{key}: expected SQL for each key column of the table: {join_names(reference.key)}"


def private_columns(config: Config) -> set[str]:
    """Return the columns of event sources that hold identifiers or other personal data."""
    sources = config.parts[SOURCES].values()
    return {name for source in sources for name in source.pii} | {
        name for source in sources for sql in source.identifiers.values() for name in columns_if_valid(sql)
    }


def reference_identifiers(config: Config) -> set[str]:
    """Return the columns of extracts that a reference table declares as identifiers."""
    return {
        column
        for source in config.parts[REFERENCE_SOURCES].values()
        for name in source.identifiers
        for column in columns_if_valid(source.map.get(name, "NULL"))
    }

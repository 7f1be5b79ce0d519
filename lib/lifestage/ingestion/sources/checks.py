"""Checks that event sources and reference sources share."""

import re
from collections.abc import Iterable, Iterator

from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES, ReferenceSource
from lifestage.ingestion.sources.layout import FileLayout
from lifestage.platform.config.checks import columns_if_valid, join_names
from lifestage.platform.config.configuration import Config

ENCODINGS = {"UTF-8", "ISO-8859-1"}  # Spark's decode() supports few, and a line break must be one byte
OFFSET_LETTERS = set("XxZzVO")
PATTERN_LETTERS = OFFSET_LETTERS | set(
    "GyMLdDQqEFaBhKkHmsSn"
)  # letters that Spark can parse; weeks are not among them


def layout_problems(layout: FileLayout) -> Iterator[str]:
    """Yield the problems of the layout of a source's files."""
    for name in sorted(set(layout.formats) - set(layout.columns)):
        yield f"formats.{name}: unknown column {name}"
    for name, pattern in layout.formats.items():
        letters = {letter for letter in re.sub("'[^']*'", "", pattern) if letter.isalpha()}
        if unknown := letters - PATTERN_LETTERS:
            yield f"formats.{name}: {join_names(unknown)} is not a letter of a date pattern such as yyyy-MM-dd, in: {pattern}"
        if layout.columns.get(name) == "timestamp" and not OFFSET_LETTERS & letters:
            yield f"formats.{name}: an instant needs an offset (XXX): add it, or declare the column local_timestamp"
    if layout.encoding.upper() not in ENCODINGS:
        yield f"encoding: {layout.encoding} cannot be read, expected one of {join_names(ENCODINGS)}"


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

"""Checks of what sources of events and reference tables have in common."""

import re
from collections.abc import Iterable, Iterator

from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES, ReferenceSource
from lifestage.ingestion.sources.layout import FileLayout
from lifestage.platform.config.checks import columns, listed
from lifestage.platform.config.configuration import Config

ENCODINGS = {"UTF-8", "ISO-8859-1"}  # Spark's decode() knows few, and a line break must be one byte
OFFSET_LETTERS = set("XxZzVO")
PATTERN_LETTERS = OFFSET_LETTERS | set("GyMLdDQqEFaBhKkHmsSn")  # what Spark knows for reading; no weeks


def layout_problems(layout: FileLayout) -> Iterator[str]:
    """What is wrong with the layout of a source's files."""
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


def private_columns(config: Config) -> set[str]:
    """Columns of sources that hold identifiers or other personal data."""
    sources = config.parts[SOURCES].values()
    return {name for source in sources for name in source.pii} | {
        name for source in sources for sql in source.identifiers.values() for name in columns(sql)
    }


def reference_identifiers(config: Config) -> set[str]:
    """Columns of extracts that any reference table calls an identifier."""
    return {
        column
        for source in config.parts[REFERENCE_SOURCES].values()
        for name in source.identifiers
        for column in columns(source.map.get(name, "NULL"))
    }

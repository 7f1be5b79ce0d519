"""Checks of the section `matching` of the main file."""

from collections.abc import Iterator, Sequence

from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.checks import bad_names, join_names, prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.result import DomainResult
from lifestage.users.matching.config import ComparisonKind, MatchingConfig, Records

RESERVED_NAMES = {"record", "identifier", "type", "since"}


def check_config(config: Config, _results: Sequence[DomainResult]) -> Iterator[str]:
    """Problems of records, comparisons and blocking."""
    yield from prefix_file(config.file, matching_problems(config))


def matching_problems(config: Config) -> Iterator[str]:
    """Problems of the section `matching`: unknown tables, columns and comparisons."""
    matching = config.of(MatchingConfig)
    yield from (f"matching.comparisons.{problem}" for problem in bad_names(matching.comparisons))
    for name in sorted(RESERVED_NAMES & {*matching.comparisons}):
        yield f"matching.comparisons.{name}: the name is reserved, choose another"
    for table, records in matching.records.items():
        yield from (
            f"matching.records.{table}{problem}" for problem in _record_problems(table, records, config)
        )
    used = {name for records in matching.records.values() for name in records.columns}
    for name in sorted({*matching.comparisons} - used) if matching.is_on else ():
        yield f"matching.comparisons.{name}: no records have a column for it"
    if matching.is_on and not matching.comparisons:
        yield "matching.comparisons: names nothing to compare, such as {surname: name, born: date}"
    for number, names in enumerate(matching.blocking):
        if not names:
            yield f"matching.blocking.{number}: names no comparison: every record would be compared with every other"
        for name in sorted({*names} - {*matching.comparisons}):
            yield f"matching.blocking.{number}: unknown comparison {name}, expected some of {join_names(matching.comparisons)}"


def _record_problems(table: str, records: Records, config: Config) -> Iterator[str]:
    source = config.parts[REFERENCE_SOURCES].get(table)
    if source is None:
        yield f": unknown reference table, expected one of {join_names(config.parts[REFERENCE_SOURCES])}"
        return
    if records.identifier not in source.identifiers:
        yield f".identifier: {records.identifier} is not an identifier of the table, expected one of {join_names(source.identifiers)}"
    for name, column in records.columns.items():
        if name not in config.of(MatchingConfig).comparisons:
            yield f".columns.{name}: unknown comparison, declare it in matching.comparisons as one of {join_names(ComparisonKind)}"
        if column not in source.map or column in source.identifiers:
            open_columns = {*source.map} - {*source.identifiers}
            yield f".columns.{name}: {column} is not a column that can be compared, expected one of {join_names(open_columns)}"

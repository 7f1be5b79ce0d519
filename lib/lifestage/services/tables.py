"""The tables of a project."""

from dataclasses import dataclass

from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.configuration import Config
from lifestage.platform.storage.contracts import Table
from lifestage.project.pipeline import writers_of
from lifestage.project.registry import tables_of


@dataclass(frozen=True)
class ListedTable:
    """A table, and what writes it."""

    table: Table
    written_by: str


def list_tables(config: Config) -> list[ListedTable]:
    """Every table, reference tables first."""
    return [
        ListedTable(table, writers_of(table.name, config.parts[REFERENCE_SOURCES]))
        for table in tables_of(config).values()
    ]

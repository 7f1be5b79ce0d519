"""Columns that measures and lookups can use."""

from lifestage.ingestion.events.tables import EVENT_COLUMNS
from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.configuration import Config

ENRICHED = ("is_action", "local_hour", "is_new_product")


def event_columns(config: Config) -> set[str]:
    """Columns that measures can use: those of events, those that activity adds, and those of its lookups."""
    known = {column.name for column in EVENT_COLUMNS} | set(ENRICHED)
    for name in config.parts.named("activity").lookups:
        if name in config.parts[REFERENCE_SOURCES]:
            known |= {f"{name}.{column}" for column in config.parts[REFERENCE_SOURCES][name].in_clear}
    return known

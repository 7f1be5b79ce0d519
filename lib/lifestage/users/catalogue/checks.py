"""Columns that measures and lookups can use."""

from lifestage.ingestion.events.tables import EVENT_COLUMNS
from lifestage.ingestion.sources.checks import reference_columns
from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.configuration import Config
from lifestage.platform.storage.contracts import sql_types

ENRICHED = {"is_action": "boolean", "local_hour": "int", "is_new_product": "boolean"}


def event_columns(config: Config) -> dict[str, str]:
    """Columns that measures can use, with types: those of events, those that activity adds, and those of its lookups."""
    known = {**sql_types(EVENT_COLUMNS), **ENRICHED}
    for name in config.parts.named("activity").lookups:
        if name in config.parts[REFERENCE_SOURCES]:
            known |= reference_columns(name, config.parts[REFERENCE_SOURCES][name])
    return known

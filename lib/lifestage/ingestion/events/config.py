"""Configuration of the events domain."""

from datetime import date

from lifestage.ingestion.events.event_types import EVENT_TYPES, EventTypes
from lifestage.ingestion.sources.config import SOURCES, Source
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts
from lifestage.platform.config.shared import IdentifierType


class IngestConfig(Model):
    """All sources of events, and the settings that they share."""

    sources: dict[str, Source]
    event_types: EventTypes
    identifiers: dict[str, IdentifierType]
    landing: str
    time_zone: str
    currency: str
    finality_days: int
    history_starts_on: date

    def sort_by_strength(self) -> list[str]:
        """Return the identifier types, strongest first; ties in order of name."""
        return sorted(self.identifiers, key=lambda name: (self.identifiers[name].priority, name))


def compose_config(parts: Parts) -> IngestConfig:
    """Compose the configuration from the parts of the project."""
    shared = parts.shared
    return IngestConfig(
        sources=parts[SOURCES],
        event_types=parts[EVENT_TYPES],
        identifiers=shared.identifiers,
        landing=shared.landing,
        time_zone=shared.business.time_zone,
        currency=shared.business.currency,
        finality_days=shared.business.finality_days,
        history_starts_on=shared.business.history_starts_on,
    )

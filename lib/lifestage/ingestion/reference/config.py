"""Configuration of the reference domain."""

from lifestage.ingestion.sources.config import REFERENCE_SOURCES, ReferenceSource
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts
from lifestage.platform.config.shared import IdentifierType


class ReferenceConfig(Model):
    """All reference sources, and the settings that they share."""

    sources: dict[str, ReferenceSource]
    identifiers: dict[str, IdentifierType]
    landing: str
    time_zone: str


def compose_config(parts: Parts) -> ReferenceConfig:
    """Compose the configuration from the parts of the project."""
    shared = parts.shared
    return ReferenceConfig(
        sources=parts[REFERENCE_SOURCES],
        identifiers=shared.identifiers,
        landing=shared.landing,
        time_zone=shared.business.time_zone,
    )

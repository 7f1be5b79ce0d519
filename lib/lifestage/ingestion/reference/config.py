"""What a keyed reference source is."""

from lifestage.ingestion.sources.config import REFERENCE_SOURCES, ReferenceSource
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts
from lifestage.platform.config.shared import IdentifierType


class ReferenceConfig(Model):
    """Every reference source with what all of them share."""

    sources: dict[str, ReferenceSource]
    identifiers: dict[str, IdentifierType]
    landing: str
    time_zone: str


def compose_config(parts: Parts) -> ReferenceConfig:
    """The reference sources with what all of them share."""
    shared = parts.shared
    return ReferenceConfig(
        sources=parts[REFERENCE_SOURCES],
        identifiers=shared.identifiers,
        landing=shared.landing,
        time_zone=shared.business.time_zone,
    )

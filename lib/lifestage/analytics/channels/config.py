"""What the channels domain takes from other parts of the configuration; it has no part of its own."""

from lifestage.ingestion.events.event_types import EVENT_TYPES, actions_of
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts
from lifestage.users.identity.config import IDENTITY


class ChannelsConfig(Model):
    """Types of identifiers and events that reach depends on, and the order of stages in the report."""

    known: tuple[str, ...]
    """Types of identifiers by which the business knows a person."""
    actions: tuple[str, ...]
    """Types of events that a user does."""
    display: tuple[str, ...]
    """Stages in the order of the report."""


def compose_config(parts: Parts) -> ChannelsConfig:
    """From identity, event types and stages."""
    return ChannelsConfig(
        known=parts[IDENTITY].known,
        actions=actions_of(parts[EVENT_TYPES]),
        display=parts.named("stages.yaml").display,
    )

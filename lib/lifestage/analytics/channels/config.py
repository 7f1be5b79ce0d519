"""Configuration of the channels domain. It has no part of its own and takes all values from other parts."""

from lifestage.ingestion.events.event_types import EVENT_TYPES, actions_of
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts
from lifestage.users.identity.config import IDENTITY


class ChannelsConfig(Model):
    """Identifier types and event types that decide who is reachable, and the order of stages in the report."""

    known: tuple[str, ...]
    """Identifier types that make a user known."""
    actions: tuple[str, ...]
    """Event types that are actions of a user."""
    display: tuple[str, ...]
    """Stages in the order of the report."""


def compose_config(parts: Parts) -> ChannelsConfig:
    """Compose the values from identity, event types and stages."""
    return ChannelsConfig(
        known=parts[IDENTITY].known,
        actions=actions_of(parts[EVENT_TYPES]),
        display=parts.named("stages.yaml").display,
    )

"""Configuration of the activity step."""

from pydantic import Field

from lifestage.ingestion.events.event_types import EVENT_TYPES, actions_of
from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts, Section
from lifestage.users.catalogue.model import CATALOGUE, Catalogue


class ActivityConfig(Model):
    """How events become subject-days."""

    catalogue: Catalogue
    actions: tuple[str, ...]
    time_zone: str
    lookups: dict[str, dict[str, str]]
    category: str
    is_new_product: str

    @property
    def meaning(self) -> str:
        """A hash of the settings that decide the content of a stored subject-day."""
        rest = self.model_dump(mode="json", exclude={"catalogue"})
        return semantic_hash([self.catalogue.activity_hash(), rest])


class ActivitySettings(Model):
    """Reference tables that events look up, and the expressions of two event columns."""

    lookups: dict[str, dict[str, str]] = Field(
        description="reference table to its key columns; the value of each key is SQL over the event"
    )
    category: str = Field(description="SQL: the category of an event")
    is_new_product: str = Field(description="SQL: whether an event is about a newly launched product")


ACTIVITY = Section("activity", ActivitySettings, defaults="users/activity/defaults.yaml")


def compose_config(parts: Parts) -> ActivityConfig:
    """Compose the section `activity`, the catalogue, and the event types that make a day active."""
    settings = parts[ACTIVITY]
    return ActivityConfig(
        catalogue=parts[CATALOGUE],
        actions=actions_of(parts[EVENT_TYPES]),
        time_zone=parts.shared.business.time_zone,
        **dict(settings),
    )

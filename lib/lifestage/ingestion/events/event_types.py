"""The declared catalogue of event types, online and offline."""

from enum import StrEnum

from pydantic import Field

from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import NamedItems


class Doer(StrEnum):
    """Who acts. An event by a user makes the day active; an event by the business does not."""

    USER = "user"
    BUSINESS = "business"


class AmountSign(StrEnum):
    """The sign that the amount of an event type may have."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    ANY = "any"


class EventType(Model):
    """One type of event."""

    description: str = Field(description="what happened")
    by: Doer = Field(default=Doer.USER, description="who acts; only actions of the user make a day active")
    amount: AmountSign = Field(default=AmountSign.ANY, description="sign that amounts of this type may have")


EventTypes = dict[str, EventType]


def actions_of(types: EventTypes) -> tuple[str, ...]:
    """Return the event types that make a day active, sorted."""
    return tuple(sorted(name for name, kind in types.items() if kind.by is Doer.USER))


EVENT_TYPES = NamedItems(
    "event_types.yaml",
    EventType,
    how_to="how-to/add-a-source.md#columns-of-the-event",
    defaults="ingestion/events/defaults.yaml",
)

"""What a source of events is."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from lifestage.ingestion.events.event_types import EventTypes
from lifestage.ingestion.sources.layout import FileLayout
from lifestage.platform.config.models import Model
from lifestage.platform.security.pseudonyms import IdentifierType


class Severity(StrEnum):
    """An error rejects the row; a warning is counted."""

    ERROR = "error"
    WARNING = "warning"


class Rule(Model):
    """A condition that every row must meet; NULL counts as met."""

    check: str = Field(description="SQL that must hold; NULL counts as met")
    severity: Severity = Field(
        default=Severity.ERROR, description="an error rejects the row, a warning is counted"
    )


class Lookup(Model):
    """A reference table joined as of event_date; its columns are `<name>.<column>` in the mapping."""

    reference: str = Field(description="name of the reference table")
    on: dict[str, str] = Field(
        description="key column of the reference table to SQL over the source's columns"
    )


class OnChange(StrEnum):
    """What a row is whose key is known and whose values differ, where no version decides."""

    DUPLICATE = "duplicate"
    REJECT = "reject"


class Source(FileLayout):
    """One source of events."""

    description: str = Field(default="", description="for people")
    key: tuple[str, ...] = Field(default=(), description="columns that identify a row; empty means keyless")
    map: dict[str, str] = Field(description="canonical column to SQL over the source's columns")
    attributes: dict[str, str] = Field(default={}, description="attribute to SQL")
    identifiers: dict[str, str] = Field(default={}, description="identifier type to SQL")
    identifier: Literal["required", "optional"] = Field(
        default="optional", description="whether a row without one is rejected, or an anonymous event"
    )
    pii: tuple[str, ...] = Field(default=(), description="columns that must not reach a table")
    lookups: tuple[Lookup, ...] = Field(
        default=(), description="reference tables joined on the day of the event, for the mapping to use"
    )
    rules: dict[str, Rule] = Field(default={}, description="name to a condition that every row must meet")
    version: str | None = Field(
        default=None, description="SQL to a whole number or timestamp; the highest wins"
    )
    delete_when: str | None = Field(default=None, description="SQL; a row that meets it deletes its key")
    on_change: OnChange = Field(
        default=OnChange.DUPLICATE, description="a row of a known key with other values, and no version"
    )
    across_files: Literal["same", "new"] = Field(
        default="same", description="keyless: an equal row in another file"
    )
    lookback_days: int = Field(
        default=60, ge=0, description="days back that version and delete_when find the row they change"
    )
    gate: float = Field(default=0.95, ge=0, le=1, description="least share of rows that must pass")

    @property
    def looks_back(self) -> bool:
        """Whether a row may change one of another day."""
        return self.version is not None or self.delete_when is not None


class IngestConfig(Model):
    """Every source with what all of them share."""

    sources: dict[str, Source]
    event_types: EventTypes
    identifiers: dict[str, IdentifierType]
    landing: str
    time_zone: str
    currency: str
    finality_days: int

    def by_strength(self) -> list[str]:
        """Identifier types, strongest first."""
        return sorted(self.identifiers, key=lambda name: (self.identifiers[name].priority, name))

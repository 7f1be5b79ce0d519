"""Configuration of sources: files whose rows become events or keyed reference data."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from lifestage.ingestion.sources.layout import FileLayout
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import ConfigFolder


class Severity(StrEnum):
    """What happens to a row that breaks a rule: an error rejects it, a warning is counted."""

    ERROR = "error"
    WARNING = "warning"


class QualityRule(Model):
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
    """What to do with a row whose key is known and whose values differ, if the source declares no version."""

    DUPLICATE = "duplicate"
    REJECT = "reject"


class Source(FileLayout):
    """One source of events."""

    description: str = Field(
        default="", description="what the source holds, for readers of the configuration"
    )
    key: tuple[str, ...] = Field(default=(), description="columns that identify a row; empty means keyless")
    map: dict[str, str] = Field(description="canonical column to SQL over the source's columns")
    attributes: dict[str, str] = Field(default={}, description="attribute to SQL")
    identifiers: dict[str, str] = Field(default={}, description="identifier type to SQL")
    identifier: Literal["required", "optional"] = Field(
        default="optional", description="whether a row without one is rejected, or an anonymous event"
    )
    pii: tuple[str, ...] = Field(default=(), description="columns that must not reach a table")
    mask_personal_data: bool = Field(
        default=False,
        description="store a keyed hash in place of a text that looks like personal data; not in the key",
    )
    lookups: tuple[Lookup, ...] = Field(
        default=(), description="reference tables joined on the day of the event, for the mapping to use"
    )
    rules: dict[str, QualityRule] = Field(
        default={}, description="name to a condition that every row must meet"
    )
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
        """Whether a row may change an event of another date."""
        return self.version is not None or self.delete_when is not None


class Extract(StrEnum):
    """What an extract holds. In a full extract, a missing key has ended; a delta extract holds changes only."""

    FULL = "full"
    DELTA = "delta"


class ReferenceSource(FileLayout):
    """One keyed extract whose rows are versioned by business date."""

    description: str = Field(default="", description="comment of the table")
    key: tuple[str, ...] = Field(description="columns of the table that identify a row")
    extract: Extract = Field(
        default=Extract.FULL,
        description="a key that a full one leaves out has ended; delta holds what changed",
    )
    valid_from: str = Field(description="SQL to the business date of a row, over its columns and file_name")
    map: dict[str, str] = Field(description="column of the reference table to SQL, keys included")
    identifiers: dict[str, str] = Field(
        default={}, description="column of the table to identifier type; pseudonymised"
    )
    sealed: tuple[str, ...] = Field(
        default=(),
        description="text columns of the table that are kept encrypted, for `lifestage match` alone to read",
    )
    mask_personal_data: bool = Field(
        default=False,
        description="store a keyed hash in place of a text that looks like personal data; not in the key",
    )
    types: dict[str, str] = Field(default={}, description="column of the table to type; string by default")
    gate: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="least share of rows that must pass; below 1.0 the others are rejected",
    )

    @property
    def payload(self) -> list[str]:
        """The columns of the table that are not part of its key."""
        return [column for column in self.map if column not in self.key]

    @property
    def in_clear(self) -> list[str]:
        """The columns of the table that are not encrypted."""
        return [column for column in self.map if column not in self.sealed]


# The reference table with exchange rates.
RATES = "rates"
SOURCES = ConfigFolder("sources", Source, how_to="how-to/add-a-source.md")
REFERENCE_SOURCES = ConfigFolder("reference", ReferenceSource, how_to="how-to/add-a-reference.md")

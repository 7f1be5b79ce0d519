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

    check: str = Field(description="SQL condition that must be true; NULL counts as met")
    severity: Severity = Field(
        default=Severity.ERROR, description="an error rejects the row, a warning is counted"
    )


class Lookup(Model):
    """A reference table that is joined as of event_date. The mapping refers to its columns as `<name>.<column>`."""

    reference: str = Field(description="name of the reference table")
    on: dict[str, str] = Field(
        description="for each key column of the reference table, SQL over the source's columns"
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
    key: tuple[str, ...] = Field(
        default=(), description="columns that identify a row; without them the source is keyless"
    )
    map: dict[str, str] = Field(description="columns of `events`, each with SQL over the source's columns")
    amounts: Literal["major", "minor"] = Field(
        default="major",
        description="unit of the mapped amounts: the currency, or its smallest unit, such as cents, yen or fils",
    )
    attributes: dict[str, str] = Field(default={}, description="attributes, each with SQL")
    identifiers: dict[str, str] = Field(default={}, description="identifier types, each with SQL")
    identifier: Literal["required", "optional"] = Field(
        default="optional",
        description="`required` rejects a row without an identifier; otherwise it is an anonymous event",
    )
    pii: tuple[str, ...] = Field(default=(), description="columns that must not reach a table in clear text")
    mask_personal_data: bool = Field(
        default=False,
        description="store a keyed hash in place of a text that looks like personal data; not in the key",
    )
    lookups: tuple[Lookup, ...] = Field(
        default=(), description="reference tables that the mapping can use, joined as of the day of the event"
    )
    rules: dict[str, QualityRule] = Field(
        default={}, description="conditions that every row must meet, by name"
    )
    before_history: Severity = Field(
        default=Severity.WARNING,
        description="what happens to an event from before history_starts_on, such as one of a clock that begins at 1970",
    )
    version: str | None = Field(
        default=None,
        description="SQL that gives a whole number or a timestamp; among rows with one key the highest wins",
    )
    delete_when: str | None = Field(
        default=None, description="SQL condition; a row that meets it deletes its key"
    )
    on_change: OnChange = Field(
        default=OnChange.DUPLICATE,
        description="without `version`: what happens to a row with a known key and other values",
    )
    snapshot: bool = Field(
        default=False,
        description="each file holds the whole list again: for each key, the row of the latest file counts, whatever its "
        "date; a row that a later file lacks stays",
    )
    across_files: Literal["same", "new"] = Field(
        default="same",
        description="for keyless sources: whether an equal row in another file is the same event or a new one",
    )
    lookback_days: int = Field(
        default=60, ge=0, description="number of days that `version` and `delete_when` reach back"
    )
    gate: float = Field(default=0.95, ge=0, le=1, description="minimum share of rows that must pass")

    @property
    def looks_back(self) -> bool:
        """Whether a row may change an event of another date."""
        return self.version is not None or self.delete_when is not None or self.snapshot


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
        description="`full`: a key that an extract lacks has ended; `delta`: an extract holds only changes",
    )
    valid_from: str = Field(
        description="SQL that gives the business date from which a row is valid, over its columns and file_name"
    )
    map: dict[str, str] = Field(description="columns of the table, including its key, each with SQL")
    identifiers: dict[str, str] = Field(
        default={}, description="columns of the table that hold pseudonyms, each with its identifier type"
    )
    sealed: tuple[str, ...] = Field(
        default=(),
        description="text columns of the table that are stored encrypted; only `lifestage match` reads them",
    )
    types: dict[str, str] = Field(
        default={}, description="types of columns of the table; a column without an entry is a string"
    )
    mask_personal_data: bool = Field(
        default=False,
        description="store a keyed hash in place of a text that looks like personal data; not in the key",
    )
    gate: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="minimum share of rows that must pass; with less than 1.0, the other rows are rejected",
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

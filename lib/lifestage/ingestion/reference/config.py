"""What a keyed reference source is."""

from enum import StrEnum

from pydantic import Field

from lifestage.ingestion.sources.layout import FileLayout
from lifestage.platform.config.models import Model
from lifestage.platform.security.pseudonyms import IdentifierType


class Extract(StrEnum):
    """Full: a key that is missing has ended. Delta: only what changed."""

    FULL = "full"
    DELTA = "delta"


class ReferenceSource(FileLayout):
    """One keyed extract, versioned by business date."""

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
    types: dict[str, str] = Field(default={}, description="column of the table to type; string by default")
    gate: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="least share of rows that must pass; below 1.0 the others are rejected",
    )

    @property
    def payload(self) -> list[str]:
        """The columns of the table that are no part of its key."""
        return [column for column in self.map if column not in self.key]

    @property
    def in_clear(self) -> list[str]:
        """The columns of the table that can be read and joined."""
        return [column for column in self.map if column not in self.sealed]


class ReferenceConfig(Model):
    """Every reference source with what all of them share."""

    sources: dict[str, ReferenceSource]
    identifiers: dict[str, IdentifierType]
    landing: str
    time_zone: str

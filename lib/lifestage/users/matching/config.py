"""Configuration of record matching: records, comparisons, blocking rules and threshold."""

from enum import StrEnum

from pydantic import Field

from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts, Section


class ComparisonKind(StrEnum):
    """How two normalised values of one comparison are compared."""

    NAME = "name"
    TEXT = "text"
    DATE = "date"
    CODE = "code"
    EXACT = "exact"


class Records(Model):
    """The records of one reference table."""

    identifier: str = Field(description="column with the identifier that a record describes")
    columns: dict[str, str] = Field(description="comparison to the column of the table that holds its values")


class MatchingSettings(Model):
    """Settings of record matching. Without records, matching is off."""

    records: dict[str, Records] = Field(description="reference table to its records")
    comparisons: dict[str, ComparisonKind] = Field(
        description="comparison to the kind of its values: name; text, such as a street; date, with the year first; "
        "code, such as a postcode, where one character may differ; or exact, where none may"
    )
    blocking: tuple[tuple[str, ...], ...] = Field(
        description="lists of comparisons; two records are compared if they agree on all comparisons of one list"
    )
    threshold: float = Field(gt=0.5, le=1, description="least probability of a match that becomes a link")
    placeholders: tuple[str, ...] = Field(
        description="texts that stand for an unknown value; they count as missing"
    )


class MatchingConfig(MatchingSettings):
    """The settings, with the declarations of the reference tables."""

    types: dict[str, str]
    """Reference table to the identifier type of its records."""
    sealed: dict[str, tuple[str, ...]]
    """Reference table to its sealed columns."""

    @property
    def is_on(self) -> bool:
        """Whether any records are declared."""
        return bool(self.records)

    @property
    def meaning(self) -> str:
        """A hash of the settings that decide which records match."""
        return semantic_hash(self.model_dump(mode="json"))


MATCHING = Section(
    "matching", MatchingSettings, how_to="how-to/match-records.md", defaults="users/matching/defaults.yaml"
)


def compose_config(parts: Parts) -> MatchingConfig:
    """Compose the section `matching`, and the declarations of its reference tables.

    Tables that do not exist are left out; validation reports them.
    """
    settings, references = parts[MATCHING], parts[REFERENCE_SOURCES]
    tables = {name: references[name] for name in settings.records if name in references}
    return MatchingConfig(
        types={
            name: source.identifiers.get(settings.records[name].identifier, "")
            for name, source in tables.items()
        },
        sealed={name: source.sealed for name, source in tables.items()},
        **dict(settings),
    )

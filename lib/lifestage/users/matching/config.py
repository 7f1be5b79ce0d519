"""Which records are compared, by what, and how sure a match has to be."""

from enum import StrEnum

from pydantic import Field

from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts, Section


class Kind(StrEnum):
    """How two values of one comparison are held against each other, once both are normalised."""

    NAME = "name"
    TEXT = "text"
    DATE = "date"
    CODE = "code"
    EXACT = "exact"


class Records(Model):
    """One reference table of records."""

    identifier: str = Field(description="column of the table whose identifier a record stands for")
    columns: dict[str, str] = Field(description="comparison to the column of the table that it compares")


class MatchingSettings(Model):
    """Fuzzy matching of records; without records there is none."""

    records: dict[str, Records] = Field(description="reference table to what its rows say")
    comparisons: dict[str, Kind] = Field(
        description="name of a comparison to what its values are: a name, a text such as a street, a date with the "
        "year first, a code such as a postcode in which a sign may be wrong, or exact, in which none may"
    )
    blocking: tuple[tuple[str, ...], ...] = Field(
        description="lists of comparisons: records are compared that agree in all of one list"
    )
    threshold: float = Field(gt=0.5, le=1, description="least probability of a match that is believed")
    placeholders: tuple[str, ...] = Field(description="texts that stand for a value that nobody knows")


class MatchingConfig(MatchingSettings):
    """The settings, with what the reference tables say of their columns."""

    types: dict[str, str]
    """Reference table to the type of the identifier of its records."""
    sealed: dict[str, tuple[str, ...]]
    """Reference table to its sealed columns."""

    @property
    def is_on(self) -> bool:
        """Whether there is anything to match."""
        return bool(self.records)

    @property
    def meaning(self) -> str:
        """A hash of what decides which records match."""
        return semantic_hash(self.model_dump(mode="json"))


MATCHING = Section(
    "matching", MatchingSettings, how_to="how-to/match-records.md", defaults="users/matching/defaults.yaml"
)


def compose_config(parts: Parts) -> MatchingConfig:
    """The section `matching`, and what the reference tables say of its columns.

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

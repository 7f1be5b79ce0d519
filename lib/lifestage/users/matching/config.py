"""Configuration of record matching: records, comparisons, blocking rules and threshold."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import combinations

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
        description="lists of comparisons; two records are compared if they agree on all comparisons of one list; without "
        "lists, `lifestage match` chooses them by kind"
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
    def blocking_lists(self) -> tuple[tuple[str, ...], ...]:
        """The lists of `blocking`, or the lists for the kinds of the comparisons."""
        return self.blocking or choose_blocking_lists(self.comparisons)

    @property
    def meaning(self) -> str:
        """A hash of the settings that decide which records match."""
        return semantic_hash(self.model_dump(mode="json"))


# Kinds of values that are compared where both agree. Few strangers share both, and one error leaves other lists.
BLOCKING_KINDS = (
    {ComparisonKind.NAME},
    {ComparisonKind.TEXT},
    {ComparisonKind.NAME, ComparisonKind.CODE},
    {ComparisonKind.TEXT, ComparisonKind.CODE},
)


def choose_blocking_lists(comparisons: Mapping[str, ComparisonKind]) -> tuple[tuple[str, ...], ...]:
    """Blocking lists by kind: dates alone, and pairs of two names, of two texts, and of a name or text and a code.

    A comparison that is in none of these lists is paired with every other one except dates.
    """
    dates = [name for name, kind in comparisons.items() if kind is ComparisonKind.DATE]
    others = [name for name in comparisons if name not in dates]
    pairs = [*combinations(others, 2)]
    chosen = [pair for pair in pairs if {comparisons[name] for name in pair} in BLOCKING_KINDS]
    covered = {name for pair in chosen for name in pair}
    chosen += [pair for pair in pairs if pair not in chosen and not {*pair} <= covered]
    # The only comparison that is no date has no other to be paired with.
    alone = [*dates, *(others if len(others) == 1 else [])]
    return (*[(name,) for name in alone], *chosen)


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

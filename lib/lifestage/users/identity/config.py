"""Configuration of identity resolution: cardinality limits, manual decisions, and what counts as evidence."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES
from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts, Section

PSEUDONYM = r"^[0-9a-f]{32}$"


class Pair(Model):
    """A manual decision about two identifiers, given by their pseudonyms."""

    a: str = Field(pattern=PSEUDONYM, description="pseudonym of one identifier")
    b: str = Field(pattern=PSEUDONYM, description="pseudonym of the other identifier")
    because: str = Field(default="", description="who decided, and why")

    @property
    def ends(self) -> tuple[str, str]:
        """Both pseudonyms, sorted."""
        return (min(self.a, self.b), max(self.a, self.b))


class IdentitySettings(Model):
    """Rules of identity resolution."""

    limits: dict[str, dict[str, Annotated[int, Field(ge=1, strict=True)]]] = Field(
        description="for each identifier type, the most linked identifiers of each other type; an identifier above a "
        "limit is withheld: several people share it, and its links do not count",
    )
    allow: tuple[Pair, ...] = Field(
        default=(), description="pairs that belong to one user, regardless of limits and evidence"
    )
    deny: tuple[Pair, ...] = Field(default=(), description="pairs whose evidence does not count")
    known: tuple[str, ...] = Field(
        description="identifier types that make a user known; a user with other types only is anonymous"
    )
    driver_links: int = Field(
        ge=0,
        description="most links for which the driver computes connected components; beyond that the cluster does",
    )

    @field_validator("allow", "deny")
    @classmethod
    def _of_two(cls, pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
        for number, pair in enumerate(pairs):
            if pair.a == pair.b:
                raise ValueError(f"{number}: a and b are the same identifier")
        return pairs

    @model_validator(mode="after")
    def _decided_once(self) -> Self:
        both = sorted({pair.ends for pair in self.allow} & {pair.ends for pair in self.deny})
        if both:
            raise ValueError(f"both allowed and denied: {', '.join(' and '.join(ends) for ends in both)}")
        return self


class IdentityConfig(IdentitySettings):
    """The rules, and the sources of evidence."""

    sources: tuple[str, ...]
    """Event sources that declare several identifiers."""
    references: dict[str, dict[str, str]]
    """Reference tables with several identifiers: table to column to identifier type."""
    is_matched: bool
    """Whether record matching gives evidence."""

    @property
    def meaning(self) -> str:
        """A hash of the rules that turn evidence into users. Reasons and order of decisions do not change it."""
        decided = [sorted({pair.ends for pair in pairs}) for pairs in (self.allow, self.deny)]
        return semantic_hash([self.limits, *decided])

    @property
    def evidence_meaning(self) -> str:
        """A hash of the settings that decide what is evidence."""
        return semantic_hash([sorted(self.sources), self.references, self.is_matched])


IDENTITY = Section(
    "identity", IdentitySettings, how_to="how-to/join-channels.md", defaults="users/identity/defaults.yaml"
)


def compose_config(parts: Parts) -> IdentityConfig:
    """Compose the section `identity`, and the sources and reference tables with several identifiers."""
    settings = parts[IDENTITY]
    references = {name: source.identifiers for name, source in parts[REFERENCE_SOURCES].items()}
    return IdentityConfig(
        sources=tuple(name for name, source in parts[SOURCES].items() if len(source.identifiers) > 1),
        references={name: columns for name, columns in references.items() if len(columns) > 1},
        is_matched=bool(parts.named("matching").records),
        **dict(settings),
    )

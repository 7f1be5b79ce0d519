"""How identifiers become persons: what counts as evidence, and how much of it one identifier may have."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES
from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts, Section

PSEUDONYM = r"^[0-9a-f]{32}$"


class Pair(Model):
    """Two identifiers, by their pseudonyms, and why somebody has decided about them."""

    a: str = Field(pattern=PSEUDONYM, description="pseudonym of one identifier")
    b: str = Field(pattern=PSEUDONYM, description="pseudonym of the other")
    because: str = Field(default="", description="who decided, and why")

    @property
    def ends(self) -> tuple[str, str]:
        """Both in order."""
        return (min(self.a, self.b), max(self.a, self.b))


class IdentitySettings(Model):
    """Rules of who is who."""

    limits: dict[str, dict[str, Annotated[int, Field(ge=1, strict=True)]]] = Field(
        description="type of identifier to other type to how many of those it may be seen with; one that is seen with "
        "more is shared by several people, and its links do not count",
    )
    allow: tuple[Pair, ...] = Field(
        default=(), description="pairs that are one person, whatever limits and evidence say"
    )
    deny: tuple[Pair, ...] = Field(default=(), description="pairs whose evidence does not count")
    known: tuple[str, ...] = Field(
        description="types of identifiers by which the business knows somebody; a device alone is nobody it knows"
    )
    driver_links: int = Field(
        ge=0, description="up to so many links are solved on the driver, more on the cluster"
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
    """The rules, with what else than events is evidence."""

    sources: tuple[str, ...]
    """Sources of events that name several identifiers."""
    references: dict[str, dict[str, str]]
    """Reference tables that name several identifiers, with their columns and types."""
    is_matched: bool
    """Whether matches of records are evidence."""

    @property
    def meaning(self) -> str:
        """A hash of what decides who is who, by evidence that is known."""
        decided = [sorted({pair.ends for pair in pairs}) for pairs in (self.allow, self.deny)]
        return semantic_hash([self.limits, *decided])

    @property
    def evidence_meaning(self) -> str:
        """A hash of what decides what is evidence."""
        return semantic_hash([sorted(self.sources), self.references, self.is_matched])


IDENTITY = Section(
    "identity", IdentitySettings, how_to="how-to/join-channels.md", defaults="users/identity/defaults.yaml"
)


def compose_config(parts: Parts) -> IdentityConfig:
    """The section `identity`, and which sources and reference tables name several identifiers at once."""
    settings = parts[IDENTITY]
    references = {name: source.identifiers for name, source in parts[REFERENCE_SOURCES].items()}
    return IdentityConfig(
        sources=tuple(name for name, source in parts[SOURCES].items() if len(source.identifiers) > 1),
        references={name: columns for name, columns in references.items() if len(columns) > 1},
        is_matched=bool(parts.named("matching").records),
        **dict(settings),
    )

"""Configuration of identity resolution: cardinality limits, manual decisions, and what counts as evidence."""

from collections.abc import Collection, Mapping
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES
from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts, Section
from lifestage.platform.config.shared import IdentifierType

PSEUDONYM = r"^[0-9a-f]{32}$"
# In limits, these names stand for all types of a group.
KNOWN, ANONYMOUS = "known", "anonymous"
GROUPS = (KNOWN, ANONYMOUS)

Limits = dict[str, dict[str, int]]


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
        "limit is withheld: several people share it, and its links do not count. `known` stands for the types of `known` "
        "and stronger ones, `anonymous` for all others; a limit of a type by name comes first",
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
    """The rules, with a limit for each pair of types, and the sources of evidence."""

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


def expand_limits(
    limits: Mapping[str, Mapping[str, int]], types: Mapping[str, IdentifierType], known: Collection[str]
) -> Limits:
    """The limit of each pair of different types: by name, else by the group of the second, then of the first type.

    A limit within one type, such as for matched records, is only what the limits say by name.
    """
    weakest = max((types[name].priority for name in known if name in types), default=0)
    groups = {
        name: KNOWN if name in known or rules.priority <= weakest else ANONYMOUS
        for name, rules in types.items()
    }
    expanded: Limits = {}
    for one in types:
        expanded[one] = {}
        for other in types:
            names = [(one, other)]
            if one != other:
                names += [(one, groups[other]), (groups[one], other), (groups[one], groups[other])]
            found = next((limits[a][b] for a, b in names if b in limits.get(a, {})), None)
            if found is not None:
                expanded[one][other] = found
    return expanded


def compose_config(parts: Parts) -> IdentityConfig:
    """Compose the section `identity`, and the sources and reference tables with several identifiers."""
    settings, types = parts[IDENTITY], parts.shared.identifiers
    limits = expand_limits(settings.limits, types, settings.known)
    references = {name: source.identifiers for name, source in parts[REFERENCE_SOURCES].items()}
    return IdentityConfig(
        sources=tuple(name for name, source in parts[SOURCES].items() if len(source.identifiers) > 1),
        references={name: columns for name, columns in references.items() if len(columns) > 1},
        is_matched=bool(parts.named("matching").records),
        **{**dict(settings), "limits": limits},
    )

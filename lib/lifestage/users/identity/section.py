"""What the report says of identities that look unusual, in the chapter on the quality of the data."""

from collections.abc import Iterator
from dataclasses import dataclass

from lifestage.platform.reporting.disclosure import Disclosure
from lifestage.platform.reporting.grids import Cell, Grid, columns, figure, text
from lifestage.platform.reporting.section import DATA, Chapter, Section, Source
from lifestage.platform.reporting.words import Words
from lifestage.users.identity.advice import Suspicions, SuspiciousIdentity, read_suspicions


@dataclass(frozen=True)
class IdentityData:
    """Everything that the section shows."""

    suspicions: Suspicions


def read(source: Source) -> IdentityData:
    """Read the suspicions."""
    return IdentityData(read_suspicions(source.read("identity_suspicions")))


def render(data: IdentityData, seen: Disclosure, words: Words) -> Iterator[Chapter]:  # noqa: ARG001
    """The identities to check, each with the line of YAML that settles it. Nothing where none is unusual."""
    found = data.suspicions
    if not found.n:
        return
    heads = columns(words, "identity", "counted", "linked", "unusual", "yaml")
    rows = tuple(_row(each, words) for each in found.listed)
    grid = Grid(words("identity.grid"), heads, rows)
    yield Chapter(DATA, notes=(words("identity.found", n=found.n),), figures=(grid,))


def _row(each: SuspiciousIdentity, words: Words) -> tuple[Cell, ...]:
    who = (
        words("identity.user", name=each.identifier)
        if each.type is None
        else f"{each.type} {each.identifier}"
    )
    return (
        text(who),
        text(words.translate(each.counted)),
        figure(words.count(each.n)),
        text(words(f"identity.{each.kind}")),
        text(each.yaml),
    )


SECTION = Section(
    key="identity",
    place=85,
    reads=("identity_suspicions",),
    texts="users/identity/texts",
    read=read,
    render=render,
)

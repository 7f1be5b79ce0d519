"""The content of a page: the chapters of all sections, and the summary on top."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from lifestage.platform.reporting.disclosure import Disclosure, disclose
from lifestage.platform.reporting.grids import Tile
from lifestage.platform.reporting.pivots import unordered_index
from lifestage.platform.reporting.section import Chapter, Section, Sentence, Source
from lifestage.platform.reporting.words import Words
from lifestage.platform.runtime.parallel import run_in_parallel


@dataclass(frozen=True)
class Header:
    """The run that a report is about."""

    business: str
    as_of: date
    run_id: str
    now: datetime
    code_version: str


@dataclass(frozen=True)
class Page:
    """Everything on the page."""

    header: Header
    facts: Mapping[str, str]
    tiles: tuple[Tile, ...]
    sentences: tuple[Sentence, ...]
    chapters: tuple[Chapter, ...]
    least_users: int


@dataclass(frozen=True)
class SectionData:
    """A section with its data."""

    section: Section[Any]
    data: Any


def read_sections(sections: Iterable[Section[Any]], source: Source) -> list[SectionData]:
    """Read the data of all sections in parallel. They come in the order of the page."""
    ordered = sorted(sections, key=lambda section: section.place)
    reads: list[Callable[[], Any]] = [partial(section.read, source) for section in ordered]
    with unordered_index():
        return [SectionData(*pair) for pair in zip(ordered, run_in_parallel(reads), strict=True)]


def compose_page(sections: Sequence[SectionData], header: Header, least_users: int, words: Words) -> Page:
    """Decide which numbers may be shown on the whole page, and render each section."""
    seen = decide_disclosure(sections, least_users)
    summaries = [each.section.summary(each.data, seen, words) for each in sections]
    added = {name: fact for summary in summaries for name, fact in summary.facts.items()}
    facts = {
        words("fact.as_of"): words.day(header.as_of),
        **added,
        words("fact.run"): header.run_id,
        words("fact.now"): words.moment(header.now),
        words("fact.code_version"): header.code_version,
    }
    chapters = [chapter for each in sections for chapter in each.section.render(each.data, seen, words)]
    return Page(
        header=header,
        facts=facts,
        tiles=tuple(tile for summary in summaries for tile in summary.tiles),
        sentences=tuple(sentence for summary in summaries for sentence in summary.sentences),
        chapters=join_chapters([each.section.key for each in sections], chapters),
        least_users=least_users,
    )


def decide_disclosure(sections: Iterable[SectionData], least_users: int) -> Disclosure:
    """Merge the cells and equations of all sections, and decide which numbers may be shown."""
    cells = {cell: n for each in sections for cell, n in each.section.cells(each.data).items()}
    equations = [equation for each in sections for equation in each.section.equations(each.data)]
    return disclose(cells, equations, least_users)


def join_chapters(keys: Iterable[str], parts: Sequence[Chapter]) -> tuple[Chapter, ...]:
    """One chapter per key, with the notes and figures of all parts in their order.

    The title and introduction come from the one part that has a title.

    Raises:
        KeyError: if no section introduces the chapter of a part.
    """
    joined = dict.fromkeys(keys, Chapter(""))
    for part in parts:
        before = joined[part.key]
        joined[part.key] = replace(
            part if part.title else replace(before, key=part.key),
            notes=before.notes + part.notes,
            figures=before.figures + part.figures,
        )
    return tuple(chapter for chapter in joined.values() if chapter.title)

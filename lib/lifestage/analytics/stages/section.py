"""The section of the report on lifecycle stages."""

from collections.abc import Iterator

from lifestage.analytics.stages.section_data import MOVE, StageData, cells, equations, read
from lifestage.analytics.stages.section_figures import is_shown, render
from lifestage.platform.reporting.disclosure import Disclosure
from lifestage.platform.reporting.grids import Tile
from lifestage.platform.reporting.section import Section, Sentence, Summary
from lifestage.platform.reporting.words import WITHHELD, Words
from lifestage.users.identity.movement import READS

LOST = ("dormant", "churned")


def summarize(data: StageData, seen: Disclosure, words: Words) -> Summary:
    """The number of users, the largest stage, and users who fell silent or came back."""
    sentences = (*_largest(data, seen, words), *_silence(data, seen, words))
    return Summary((_users_tile(data, seen, words),), sentences)


def _users_tile(data: StageData, seen: Disclosure, words: Words) -> Tile:
    totals = data.totals
    n = totals.get(data.counts[-1].as_of, 0) if data.counts else 0
    lines = [words("tile.users_about")]
    if data.before in totals and not (seen.is_small(n) or seen.is_small(totals[data.before])):
        change = words.change(n - totals[data.before])
        lines.append(words("tile.since", change=change, date=words.day(data.before)))
    return Tile(words("tile.users"), WITHHELD if seen.is_small(n) else words.count(n), tuple(lines))


def _largest(data: StageData, seen: Disclosure, words: Words) -> Iterator[Sentence]:
    newest = data.newest
    total = sum(count.n_users for count in newest.values())
    largest = max(newest.values(), key=lambda count: (count.n_users, count.stage), default=None)
    if largest and is_shown(largest, seen):
        rung = next((rung for rung in data.ladder if rung.stage == largest.stage), None)
        values = {
            "stage": words.translate(largest.stage),
            "share": words.share(largest.n_users, total),
            "planned": words.plan(rung.strategy.benefits if rung else ""),
        }
        yield Sentence(words("summary.lifecycle", n=total, **values), "stages-chart")


def _silence(data: StageData, seen: Disclosure, words: Words) -> Iterator[Sentence]:
    """Users who fell silent and users who came back; the silent ones if a move is withheld.

    There is no sentence for a ladder without the stages LOST.
    """
    if not data.before or not set(LOST) & set(data.order):
        return
    known = [move for move in data.moves if move.moved_from and move.moved_to]
    crossing = [move for move in known if (move.moved_from in LOST) != (move.moved_to in LOST)]
    if any((MOVE, move.moved_from, move.moved_to) not in seen for move in crossing):
        yield from _silent(data, seen, words)
        return
    fell = sum(move.n_users for move in crossing if move.moved_to in LOST)
    came = sum(move.n_users for move in crossing if move.moved_from in LOST)
    values = {"before": words.day(data.before), "fell": words.count(fell), "came": words.count(came)}
    yield Sentence(words("summary.fell" if fell > came else "summary.came", **values), "lifecycle")


def _silent(data: StageData, seen: Disclosure, words: Words) -> Iterator[Sentence]:
    """The number of dormant and churned users, and its change since the date before, if all of them may be shown."""
    lost = [c for c in data.counts if c.stage in LOST and c.as_of in (data.before, data.as_of)]
    if data.before and lost and all(is_shown(count, seen) for count in lost):
        n = sum(count.n_users for count in lost if count.as_of == data.as_of)
        change = n - sum(count.n_users for count in lost if count.as_of == data.before)
        values = {"change": words.change(change), "before": words.day(data.before)}
        yield Sentence(words("summary.silent", n=n, **values), "lifecycle")


SECTION = Section(
    key="lifecycle",
    place=10,
    reads=("stage_totals", "user_stages", *READS),
    texts="analytics/stages/texts",
    read=read,
    render=render,
    cells=cells,
    equations=equations,
    summary=summarize,
)

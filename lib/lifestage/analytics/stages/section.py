"""The section of the report on lifecycle stages."""

from collections.abc import Collection, Iterator
from decimal import Decimal

from lifestage.analytics.stages.decline import DECLINING, SPAN_DAYS, CategoryChange
from lifestage.analytics.stages.decline import READS as READS_OF_DECLINE
from lifestage.analytics.stages.section_data import MOVE, StageData, cells, equations, read, rungs_of
from lifestage.analytics.stages.section_figures import change_share, is_shown, render
from lifestage.platform.reporting.disclosure import Disclosure
from lifestage.platform.reporting.grids import Tile
from lifestage.platform.reporting.section import Section, Sentence, Summary
from lifestage.platform.reporting.words import WITHHELD, Words
from lifestage.users.identity.movement import READS

LOST = ("dormant", "churned")
N_CATEGORIES = 3


def summarize(data: StageData, seen: Disclosure, words: Words) -> Summary:
    """The value at risk and why, users who fell silent or came back, the largest stage, and the number of users."""
    sentences = (
        *_value_at_risk(data, seen, words),
        *_reasons(data, seen, words),
        *_silence(data, seen, words),
        *_largest(data, seen, words),
    )
    return Summary((_users_tile(data, seen, words),), sentences)


def _users_tile(data: StageData, seen: Disclosure, words: Words) -> Tile:
    totals = data.totals
    n = totals.get(data.counts[-1].as_of, 0) if data.counts else 0
    lines = [words("tile.users_about")]
    for day in (data.before, data.earlier.year_before, data.earlier.day_before):
        if day in totals and not (seen.is_small(n) or seen.is_small(totals[day])):
            lines.append(words("tile.since", change=words.change(n - totals[day]), date=words.day(day)))
    return Tile(words("tile.users"), WITHHELD if seen.is_small(n) else words.count(n), tuple(lines))


def _value_at_risk(data: StageData, seen: Disclosure, words: Words) -> Iterator[Sentence]:
    """Declining users, their spend and owner. If no number can be given, the sentence says why."""
    if data.is_short(DECLINING, data.as_of) and data.counts:
        day = words.day(data.full_from[DECLINING])
        yield Sentence(words("summary.declining_short", date=day), "stages-chart")
        return
    count = data.newest.get(DECLINING)
    if count is None:
        return
    if not is_shown(count, seen):
        yield Sentence(words("summary.declining_withheld", least=seen.least_users), "stages-chart")
        return
    if not data.period:
        planned = _plan(data, (DECLINING,), words)
        since = _since(data, seen, words)
        yield Sentence(
            words("summary.declining_users", n=count.n_users, since=since, planned=planned), "stages-chart"
        )
        return
    spent, whole = data.spend.get(DECLINING, Decimal()), sum(data.spend.values(), Decimal())
    values = {
        "since": _since(data, seen, words),
        "amount": words.short_money(spent),
        "share": words.share(spent, whole),
        "period": data.period,
        "planned": _plan(data, (DECLINING,), words),
    }
    yield Sentence(words("summary.declining", n=count.n_users, **values), "stages-chart")


def _since(data: StageData, seen: Disclosure, words: Words) -> str:
    """The change of the number of declining users in brackets; empty if it is withheld or says nothing."""
    before = data.before
    if before is None or data.is_short(DECLINING, before) or before not in data.totals:
        return ""
    counts = {c.as_of: c for c in data.counts if c.stage == DECLINING}
    if before in counts and not is_shown(counts[before], seen):
        return ""
    n_before = counts[before].n_users if before in counts else 0
    change = words.change(counts[data.as_of].n_users - n_before)
    return words("summary.since", change=change, before=words.day(before))


def _reasons(data: StageData, seen: Disclosure, words: Words) -> Iterator[Sentence]:
    """How much less declining users spend, and in which categories most."""
    # Without those of a few users, whose spend would follow from the total.
    known = [each for each in data.categories if not seen.is_small(each.n_users)]
    shown = [each for each in known if each.lost > 0]
    lost = sum((each.lost for each in known), Decimal())
    if not shown or lost <= 0 or data.is_short(DECLINING, data.as_of):
        return
    named = words("word.and").join(
        words("summary.category", category=each.category, **_changes([each], words))
        for each in shown[:N_CATEGORIES]
    )
    values = {"amount": words.short_money(lost), "days": SPAN_DAYS, "categories": named}
    yield Sentence(words("summary.reasons", **values, **_changes(known, words)), "declining")


def _changes(changes: Collection[CategoryChange], words: Words) -> dict[str, str]:
    """The change of declining and of all other users, as shares of the spend before."""
    own = change_share(changes, "spent", words)
    return {"own": own, "others": change_share(changes, "others", words)}


def _plan(data: StageData, stages: Collection[str], words: Words) -> str:
    """What is planned for the users of some stages, and who is responsible."""
    strategies = [rung.strategy for rung in rungs_of(data.ladder, stages)]
    benefits = dict.fromkeys(words.translate(each.benefits) for each in strategies if each.benefits)
    owners = dict.fromkeys(words.translate(each.owner) for each in strategies if each.owner)
    owner = words("word.and").join(owners) or words("word.nobody")
    if not benefits:
        return words("word.owner", owner=owner)
    return words("word.planned_by", benefits="; ".join(benefits), owner=owner)


def _largest(data: StageData, seen: Disclosure, words: Words) -> Iterator[Sentence]:
    """The largest stage, unless the history is too short to tell who is in it."""
    newest = data.newest
    total = sum(count.n_users for count in newest.values())
    largest = max(newest.values(), key=lambda count: (count.n_users, count.stage), default=None)
    if largest and is_shown(largest, seen) and not data.is_short(largest.stage, data.as_of):
        values = {
            "stage": words.translate(largest.stage),
            "share": words.share(largest.n_users, total),
            "planned": _plan(data, (largest.stage,), words),
        }
        yield Sentence(words("summary.lifecycle", n=total, **values), "stages-chart")


def _silence(data: StageData, seen: Disclosure, words: Words) -> Iterator[Sentence]:
    """Users who fell silent and users who came back; the silent ones if a move is withheld.

    There is no sentence for a ladder without the stages LOST, nor about a date on which the history is too short for them.
    """
    before = data.before
    if not before or not set(LOST) & set(data.order) or any(data.is_short(stage, before) for stage in LOST):
        return
    known = [move for move in data.moves if move.moved_from and move.moved_to]
    crossing = [move for move in known if (move.moved_from in LOST) != (move.moved_to in LOST)]
    if any((MOVE, move.moved_from, move.moved_to) not in seen for move in crossing):
        yield from _silent(data, seen, words)
        return
    fell = sum(move.n_users for move in crossing if move.moved_to in LOST)
    came = sum(move.n_users for move in crossing if move.moved_from in LOST)
    values = {
        "before": words.day(before),
        "fell": words.count(fell),
        "came": words.count(came),
        "planned": _plan(data, LOST, words),
    }
    yield Sentence(words("summary.fell" if fell > came else "summary.came", **values), "lifecycle")


def _silent(data: StageData, seen: Disclosure, words: Words) -> Iterator[Sentence]:
    """The number of dormant and churned users, and its change since the date before, if all of them may be shown."""
    lost = [c for c in data.counts if c.stage in LOST and c.as_of in (data.before, data.as_of)]
    if data.before and lost and all(is_shown(count, seen) for count in lost):
        n = sum(count.n_users for count in lost if count.as_of == data.as_of)
        change = n - sum(count.n_users for count in lost if count.as_of == data.before)
        values = {
            "change": words.change(change),
            "before": words.day(data.before),
            "planned": _plan(data, LOST, words),
        }
        yield Sentence(words("summary.silent", n=n, **values), "lifecycle")


SECTION = Section(
    key="lifecycle",
    place=10,
    reads=("stage_totals", "user_stages", "channel_totals", *READS_OF_DECLINE, *READS),
    texts="analytics/stages/texts",
    read=read,
    render=render,
    cells=cells,
    equations=equations,
    summary=summarize,
)

"""The charts and tables of the stages section."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from lifestage.analytics.stages.decline import SPAN_DAYS, CategoryChange
from lifestage.analytics.stages.section_data import MOVE, StageCount, StageData
from lifestage.platform.reporting.charts import AMOUNTS, COUNTS, Point, Titles, bars_chart, stacked_chart
from lifestage.platform.reporting.disclosure import STAGE, Disclosure
from lifestage.platform.reporting.grids import (
    HIDDEN,
    Cell,
    Chart,
    Column,
    Entry,
    Grid,
    Look,
    columns,
    drop_empty,
    figure,
    text,
)
from lifestage.platform.reporting.section import MADE, Chapter
from lifestage.platform.reporting.words import Words
from lifestage.users.identity.movement import Move
from lifestage.users.identity.regrouping import Regrouped

MAX_MOVES = 12
MAX_CATEGORIES = 10


def render(data: StageData, seen: Disclosure, words: Words) -> Iterator[Chapter]:
    """Users and spend by stage and date, moves since the date before, and the rules of the stages."""
    title, about = words("lifecycle.title"), words("lifecycle.about")
    if data.counts:
        moves = [m for m in data.moves if m.moved_from != m.moved_to and _is_move_shown(m, seen)]
        figures = drop_empty(
            _users_chart(data, seen, words),
            _spend_chart(data, seen, words),
            _newest_grid(data, seen, words),
            _category_grid(data, seen, words),
            _moves_chart(data, moves, words),
            _moves_grid(data, seen, words),
            _dates_grid(data, seen, words),
        )
        yield Chapter("lifecycle", title, about, (*_notes(data, moves, words),), figures)
    else:
        nobody = words("lifecycle.nobody", date=words.day(data.as_of))
        yield Chapter("lifecycle", title, about, (nobody,))
    yield Chapter(MADE, figures=drop_empty(_rules_grid(data, words)))


def _notes(data: StageData, moves: Sequence[Move], words: Words) -> Iterator[str]:
    """What makes numbers differ without a change of users."""
    dates = sorted(
        {day for day in data.full_from.values() if any(count.as_of < day for count in data.counts)}
    )
    for day in dates:
        stages = words("word.and").join(
            words.translate(stage) for stage in data.order if data.full_from.get(stage) == day
        )
        yield words("lifecycle.short_until", date=words.day(day), stages=stages)
    if data.before and data.changed_rules:
        stages = words("word.and").join(words.translate(stage) for stage in data.changed_rules)
        yield words("lifecycle.rules_changed", before=words.day(data.before), stages=stages)
    if data.moves and not moves:
        yield words("lifecycle.no_moves")


def is_shown(count: StageCount, seen: Disclosure) -> bool:
    """Whether the users of a stage on a date may be shown."""
    return (STAGE, count.as_of, count.stage) in seen


def _is_move_shown(move: Move, seen: Disclosure) -> bool:
    return (MOVE, move.moved_from, move.moved_to) in seen


def _users_chart(data: StageData, seen: Disclosure, words: Words) -> Chart:
    totals = data.totals
    points = [
        Point(words.short_day(c.as_of), words.translate(c.stage), c.n_users,
              _mark_short(data, c, f"{words.count(c.n_users)} ({words.share(c.n_users, totals[c.as_of])})", words),
              data.is_short(c.stage, c.as_of))
        for c in data.counts if is_shown(c, seen)
    ]  # fmt: skip
    order = [words.translate(stage) for stage in data.order]
    spec = stacked_chart(points, order, _titles(words("column.users"), words), COUNTS)
    title = words("lifecycle.users_chart", date=words.day(data.as_of))
    return Chart("stages-chart", title, words("lifecycle.users_about"), spec, _legend(data, seen, words))


def _titles(measure: str, words: Words) -> Titles:
    return Titles(words("column.as_of"), measure, words("column.stage"))


def _legend(data: StageData, seen: Disclosure, words: Words) -> tuple[Entry, ...]:
    newest = data.newest
    total = sum(count.n_users for count in newest.values())
    numbers = {
        stage: _mark_short(
            data, count, f"{words.count(count.n_users)} ({words.share(count.n_users, total)})", words
        )
        for stage, count in newest.items()
        if is_shown(count, seen)
    }
    return tuple(
        Entry(
            place,
            words.translate(stage),
            numbers.get(stage, HIDDEN.text if stage in newest else words.count(0)),
        )
        for place, stage in enumerate(data.order)
    )


def _spend_chart(data: StageData, seen: Disclosure, words: Words) -> Chart:
    points = [
        Point(words.short_day(c.as_of), words.translate(c.stage), float(c.amount),
              _mark_short(data, c, words.money(c.amount), words), data.is_short(c.stage, c.as_of))
        for c in data.counts if is_shown(c, seen)
    ]  # fmt: skip
    order = [words.translate(stage) for stage in data.order]
    spec = stacked_chart(points, order, _titles(words.in_currency("column.spend_30d"), words), AMOUNTS)
    colors = tuple(Entry(place, stage, "") for place, stage in enumerate(order))
    title = words("lifecycle.spend_chart")
    return Chart("stage-spend-chart", title, words("about.spend_30d"), spec, colors)


def _mark_short(data: StageData, count: StageCount, label: str, words: Words) -> str:
    """The label with a mark if the history up to the date is too short for the stage."""
    is_short = data.is_short(count.stage, count.as_of)
    return words("lifecycle.marked", label=label, mark=words("lifecycle.short")) if is_short else label


def _newest_grid(data: StageData, seen: Disclosure, words: Words) -> Grid:
    newest = data.newest
    total = sum(count.n_users for count in newest.values())
    spent = sum((count.amount for count in newest.values()), Decimal())
    compared = [day for day in (data.before, data.earlier.year_before) if day in data.totals]
    rows = []
    for stage, count in newest.items():
        shown = is_shown(count, seen)
        changes = [_change(data, count, day, seen, words) for day in compared]
        if changes and data.earlier.day_before in data.totals:
            small = _change(data, count, data.earlier.day_before, seen, words).text
            changes[0] = replace(changes[0], below=words("lifecycle.since_day_before", change=small))
        rows.append((
            text(words.translate(stage)),
            figure(words.count(count.n_users), shown),
            figure(words.share(count.n_users, total), shown),
            *changes,
            figure(words.money(count.amount), shown),
            figure(words.share(count.amount, spent), shown),
        ))  # fmt: skip
    heads = (
        *columns(words, "stage", "users", "share"),
        *[column for day in compared for column in columns(words, "change", day=words.day(day))],
        *columns(words, "spend_30d", "share_of_spend"),
    )
    return Grid(words("lifecycle.newest", date=words.day(data.counts[-1].as_of)), heads, tuple(rows))


def _change(data: StageData, count: StageCount, day: date | None, seen: Disclosure, words: Words) -> Cell:
    """The change of the number of users since a date; in words if the history up to either date is too short."""
    earlier = next((c for c in data.counts if (c.as_of, c.stage) == (day, count.stage)), None)
    if day is None or data.is_short(count.stage, day) or data.is_short(count.stage, count.as_of):
        return Cell(words("lifecycle.short"), Look.NUMBER)
    was_shown = is_shown(count, seen) and (earlier is None or is_shown(earlier, seen))
    return figure(words.change(count.n_users - (earlier.n_users if earlier else 0)), was_shown)


def _category_grid(data: StageData, seen: Disclosure, words: Words) -> Grid | None:
    """The categories in which declining users spend less, the greatest loss first."""
    lost = [change for change in data.categories if change.lost > 0][:MAX_CATEGORIES]
    if not lost:
        return None
    rows = []
    for change in lost:
        shown = not seen.is_small(change.n_users)
        rows.append((
            text(change.category),
            figure(words.count(change.n_users), shown),
            figure(words.money(change.spent_before), shown),
            figure(words.money(change.spent_now), shown),
            figure(change_share([change], "spent", words), shown),
            figure(change_share([change], "others", words)),
        ))  # fmt: skip
    names = ("category", "users", "spent_before", "spent_now", "own_change", "others_change")
    caption = words("lifecycle.categories", date=words.day(data.as_of))
    return Grid(caption, columns(words, *names, days=SPAN_DAYS), tuple(rows), key="declining")


def change_share(changes: Collection[CategoryChange], group: str, words: Words) -> str:
    """The change of spend from the 90 days before to the last 90, as a share of the spend before."""
    before = sum((getattr(change, f"{group}_before") for change in changes), Decimal())
    now = sum((getattr(change, f"{group}_now") for change in changes), Decimal())
    return words.change_share(now - before, before)


def _moves_chart(data: StageData, moves: Sequence[Move], words: Words) -> Chart | None:
    if not moves or not data.before:
        return None
    points = [
        Point(f"{_side(m.moved_from, 'new', words)} → {_side(m.moved_to, 'gone', words)}", "", m.n_users, words.count(m.n_users))
        for m in moves[:MAX_MOVES]
    ]  # fmt: skip
    title = words("lifecycle.moves_chart", before=words.day(data.before), date=words.day(data.as_of))
    spec = bars_chart(points, Titles(words("column.move"), words("column.users")))
    return Chart("moves-chart", title, words("lifecycle.moves_about"), spec)


def _side(stage: str | None, none: str, words: Words) -> str:
    if stage is None or stage in [*Regrouped]:
        return words(f"word.{stage or none}")
    return words.translate(stage)


def _moves_grid(data: StageData, seen: Disclosure, words: Words) -> Grid | None:
    """Every pair of stages on the two dates, including users who stayed."""
    if not data.before or not data.moves:
        return None
    found = {
        (m.moved_from, m.moved_to): figure(words.count(m.n_users), _is_move_shown(m, seen))
        for m in data.moves
    }
    order = [*data.order, *Regrouped, None]
    befores, nows = ([stage for stage in order if stage in {key[side] for key in found}] for side in (0, 1))
    nobody = figure(words.count(0))
    rows = [
        (text(_side(stage, "new", words)), *[found.get((stage, now), nobody) for now in nows])
        for stage in befores
    ]
    caption = words("lifecycle.flow", before=words.day(data.before), date=words.day(data.as_of))
    heads = (*columns(words, "stage_before"), *[Column(_side(now, "gone", words)) for now in nows])
    return Grid(caption, heads, tuple(rows), is_folded=True)


def _dates_grid(data: StageData, seen: Disclosure, words: Words) -> Grid:
    counts = {(count.as_of, count.stage): count for count in data.counts}
    nobody = figure(words.count(0))
    rows: list[tuple[Cell, ...]] = []
    for day, total in sorted(data.totals.items(), reverse=True):
        found = [counts.get((day, stage)) for stage in data.order]
        users = [_build_dated_cell(data, c, seen, words) if c else nobody for c in found]
        rows.append((text(words.day(day)), *users, figure(words.count(total), not seen.is_small(total))))
    heads = (
        *columns(words, "as_of"),
        *[Column(words.translate(stage)) for stage in data.order],
        *columns(words, "all_users"),
    )
    return Grid(words("lifecycle.dates"), heads, tuple(rows), is_folded=True)


def _build_dated_cell(data: StageData, count: StageCount, seen: Disclosure, words: Words) -> Cell:
    cell = figure(words.count(count.n_users), is_shown(count, seen))
    return replace(cell, below=words("lifecycle.short")) if data.is_short(count.stage, count.as_of) else cell


def _rules_grid(data: StageData, words: Words) -> Grid:
    rows = tuple(
        (text(words.translate(rung.stage)), Cell(words.translate(rung.description), below=rung.when))
        for rung in data.ladder
    )
    return Grid(words("made.stages"), columns(words, "stage", "rule"), rows, layout="rules", is_folded=True)

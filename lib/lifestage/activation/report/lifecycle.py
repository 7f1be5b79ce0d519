"""What the page says about lifecycle stages."""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal

from lifestage.activation.report.content import Flow, ReportData, StageCount
from lifestage.platform.reporting.charts import AMOUNTS, COUNTS, Point, bars_chart, stacked_chart
from lifestage.platform.reporting.grids import (
    HIDDEN,
    Cell,
    Chart,
    Column,
    Entry,
    Grid,
    columns,
    drop_empty,
    figure,
    text,
)
from lifestage.platform.reporting.section import Chapter
from lifestage.platform.reporting.words import Words
from lifestage.users.identity.regrouping import Regrouped

MAX_MOVES = 12
Seen = Collection[tuple[date, str]]


def lifecycle_section(data: ReportData, words: Words) -> Chapter:
    """Users and spend by stage over the dates, moves since the date before, and the newest date in numbers."""
    title, about = words("lifecycle.title"), words("lifecycle.about")
    if not data.stages:
        nobody = words("lifecycle.nobody", date=words.day(data.header.as_of))
        return Chapter("lifecycle", title, about, (nobody,))
    seen = seen_stages(data)
    moves = _moves(data)
    figures = drop_empty(
        _users_chart(data, seen, words),
        _spend_chart(data, seen, words),
        _newest_grid(data, seen, words),
        _moves_chart(data, moves, words),
        _moves_grid(data, words),
        _dates_grid(data, seen, words),
    )
    notes = (words("lifecycle.no_moves"),) if data.stage_flows and not moves else ()
    return Chapter("lifecycle", title, about, notes, figures)


def stage_order(data: ReportData) -> tuple[str, ...]:
    """The display order, then any stage of the data that it does not name."""
    found = {stage.stage for stage in data.stages}
    return (*data.stage_order, *sorted(found - set(data.stage_order)))


def newest_stages(data: ReportData) -> dict[str, StageCount]:
    """The counts of the last date by stage, in the display order."""
    newest = {s.stage: s for s in data.stages if s.as_of == data.stages[-1].as_of}
    return {stage: newest[stage] for stage in stage_order(data) if stage in newest}


def seen_stages(data: ReportData) -> Seen:
    """The (date, stage) pairs that may be shown."""
    return {(s.as_of, s.stage) for s in data.stages if ("stage", s.as_of, s.stage) in data.seen}


def _users_chart(data: ReportData, seen: Seen, words: Words) -> Chart:
    totals: dict[date, int] = {}
    for s in data.stages:
        totals[s.as_of] = totals.get(s.as_of, 0) + s.n_users
    points = [
        Point(words.short_day(s.as_of), words.translate(s.stage), s.n_users,
              f"{words.count(s.n_users)} ({words.share(s.n_users, totals[s.as_of])})")
        for s in data.stages if (s.as_of, s.stage) in seen
    ]  # fmt: skip
    order = [words.translate(stage) for stage in stage_order(data)]
    spec = stacked_chart(points, order, words("column.users"), COUNTS)
    title = words("lifecycle.users_chart", date=words.day(data.header.as_of))
    return Chart("stages-chart", title, words("lifecycle.users_about"), spec, _legend(data, seen, words))


def _legend(data: ReportData, seen: Seen, words: Words) -> tuple[Entry, ...]:
    newest = newest_stages(data)
    total = sum(s.n_users for s in newest.values())
    told = {
        stage: f"{words.count(s.n_users)} ({words.share(s.n_users, total)})"
        for stage, s in newest.items()
        if (s.as_of, stage) in seen
    }
    return tuple(
        Entry(i, words.translate(stage), told.get(stage, HIDDEN.text if stage in newest else words.count(0)))
        for i, stage in enumerate(stage_order(data))
    )


def _spend_chart(data: ReportData, seen: Seen, words: Words) -> Chart:
    points = [
        Point(words.short_day(s.as_of), words.translate(s.stage), float(s.amount), words.money(s.amount))
        for s in data.stages
        if (s.as_of, s.stage) in seen
    ]
    order = [words.translate(stage) for stage in stage_order(data)]
    spec = stacked_chart(points, order, words.in_currency("column.spend_30d"), AMOUNTS)
    colors = tuple(Entry(i, stage, "") for i, stage in enumerate(order))
    title = words("lifecycle.spend_chart")
    return Chart("stage-spend-chart", title, words("about.spend_30d"), spec, colors)


def _newest_grid(data: ReportData, seen: Seen, words: Words) -> Grid:
    newest = newest_stages(data)
    total, spent = (
        sum(s.n_users for s in newest.values()),
        sum((s.amount for s in newest.values()), Decimal()),
    )
    earlier = {s.stage: s for s in data.stages if s.as_of == data.before}
    rows = []
    for stage, s in newest.items():
        before = earlier.get(stage)
        is_shown = (s.as_of, stage) in seen
        was_shown = is_shown and (before is None or (before.as_of, stage) in seen)
        change = words.change(s.n_users - (before.n_users if before else 0)) if data.before else ""
        rows.append((
            text(words.translate(stage)),
            figure(words.count(s.n_users), is_shown),
            figure(words.share(s.n_users, total), is_shown),
            figure(change, was_shown),
            figure(words.money(s.amount), is_shown),
            figure(words.share(s.amount, spent), is_shown),
        ))  # fmt: skip
    heads = columns(words, "stage", "users", "share", "change", "spend_30d", "share_of_spend")
    return Grid(words("lifecycle.newest", date=words.day(data.stages[-1].as_of)), heads, tuple(rows))


def _moves(data: ReportData) -> list[Flow]:
    """Who changed stage between the last two dates, most users first, as far as it may be shown."""
    return [f for f in data.stage_flows if f.moved_from != f.moved_to and _is_seen(f, data)]


def _is_seen(flow: Flow, data: ReportData) -> bool:
    return ("move", flow.moved_from, flow.moved_to) in data.seen


def _moves_chart(data: ReportData, moves: Sequence[Flow], words: Words) -> Chart | None:
    if not moves or not data.before:
        return None
    points = [
        Point(f"{_side(f.moved_from, 'new', words)} → {_side(f.moved_to, 'gone', words)}", "", f.n_users, words.count(f.n_users))
        for f in moves[:MAX_MOVES]
    ]  # fmt: skip
    title = words("lifecycle.moves_chart", before=words.day(data.before), date=words.day(data.header.as_of))
    spec = bars_chart(points, words("column.users"))
    return Chart("moves-chart", title, words("lifecycle.moves_about"), spec)


def _side(stage: str | None, none: str, words: Words) -> str:
    if stage is None or stage in [*Regrouped]:
        return words(f"word.{stage or none}")
    return words.translate(stage)


def _moves_grid(data: ReportData, words: Words) -> Grid | None:
    """Every pair of stages on the last two dates, who stayed included."""
    if not data.before or not data.stage_flows:
        return None
    found = {
        (f.moved_from, f.moved_to): figure(words.count(f.n_users), _is_seen(f, data))
        for f in data.stage_flows
    }
    order = [*stage_order(data), *Regrouped, None]
    befores, nows = ([stage for stage in order if stage in {key[side] for key in found}] for side in (0, 1))
    nobody = figure(words.count(0))
    rows = [
        (text(_side(stage, "new", words)), *[found.get((stage, now), nobody) for now in nows])
        for stage in befores
    ]
    caption = words("lifecycle.flow", before=words.day(data.before), date=words.day(data.header.as_of))
    heads = (*columns(words, "stage_before"), *[Column(_side(b, "gone", words)) for b in nows])
    return Grid(caption, heads, tuple(rows), is_folded=True)


def _dates_grid(data: ReportData, seen: Seen, words: Words) -> Grid:
    counts = {(s.as_of, s.stage): s.n_users for s in data.stages}
    order = stage_order(data)
    rows: list[tuple[Cell, ...]] = []
    for day in sorted({s.as_of for s in data.stages}, reverse=True):
        users = [
            figure(
                words.count(counts.get((day, stage), 0)), (day, stage) in seen or (day, stage) not in counts
            )
            for stage in order
        ]
        total = sum(n for (at, _), n in counts.items() if at == day)
        rows.append(
            (text(words.day(day)), *users, figure(words.count(total), not 0 < total < data.least_users))
        )
    heads = (
        *columns(words, "as_of"),
        *[Column(words.translate(stage)) for stage in order],
        *columns(words, "all_users"),
    )
    return Grid(words("lifecycle.dates"), heads, tuple(rows), is_folded=True)

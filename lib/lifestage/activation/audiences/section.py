"""The section of the report on audiences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.activation.audiences.config import Audience, AudiencesConfig
from lifestage.platform.reporting.charts import Point, Titles, bars_chart
from lifestage.platform.reporting.disclosure import BUYERS, STAGE, Disclosure
from lifestage.platform.reporting.grids import Cell, Chart, Grid, columns, drop_empty, figure, text
from lifestage.platform.reporting.section import MADE, Chapter, Section, Sentence, Source, Summary
from lifestage.platform.reporting.words import Words
from lifestage.users.identity.movement import READS, movement_cells, read_regrouped_users


@dataclass(frozen=True)
class AudienceCount:
    """An audience with its users, those who entered and left since the date before, and their net spend."""

    audience: str
    description: str = ""
    owner: str = ""
    benefits: str = ""
    n_users: int = 0
    n_entered: int = 0
    n_left: int = 0
    amount: Decimal = Decimal()


@dataclass(frozen=True)
class AudienceData:
    """Everything that the section shows."""

    as_of: date
    before: date | None = None
    period: int = 0
    """Days that the spend covers; 0 if all audiences are empty."""
    counts: tuple[AudienceCount, ...] = ()
    """The largest first."""
    rules: Mapping[str, str] = field(default_factory=dict)
    changed_on: Mapping[str, date] = field(default_factory=dict)
    """The first date with the present rule of each audience whose rule has changed since the date before."""


def read(source: Source) -> AudienceData:
    """Read sizes, movement and rules."""
    as_of, configured = source.as_of, source.config.of(AudiencesConfig).audiences
    users = source.compute_once(read_regrouped_users).users
    totals = read_totals(source.read("audience_totals"), as_of)
    movement = count_movement(source.read("user_audiences"), as_of, source.before, users)
    return AudienceData(
        as_of=as_of,
        before=source.before,
        period=max((days for _, _, days in totals.values()), default=0),
        counts=combine(configured, totals, movement),
        rules=read_rules(source.read("audience_definitions"), as_of),
        changed_on=find_changes(source.read("audience_definitions"), as_of, source.before),
    )


Totals = Mapping[str, tuple[int, Decimal, int]]
Movement = Mapping[str, tuple[int, int]]


def read_totals(audience_totals: DataFrame, as_of: date) -> Totals:
    """Users, spend and days of the spend by audience; bounded by the audiences."""
    rows = audience_totals.where(F.col("as_of") == F.lit(as_of)).collect()
    return {
        row["audience"]: (row["n_users"], row["monetary_amount"], row["period_days"] or 0) for row in rows
    }


def count_movement(
    user_audiences: DataFrame, as_of: date, before: date | None, users: DataFrame
) -> dict[str, tuple[int, int]]:
    """Users who entered and users who left by audience; bounded by the audiences. Empty without a date before.

    `users` are the regrouped users, with user_id and change. They neither entered nor left.
    """
    if before is None:
        return {}
    is_before, is_now = (F.col("as_of") == F.lit(day) for day in (before, as_of))
    members = (
        user_audiences.where(is_before | is_now)
        .groupBy("audience", "user_id")
        .agg(F.max(is_before).alias("was"), F.max(is_now).alias("is"))
        .join(F.broadcast(users), on="user_id", how="left_anti")
    )
    rows = members.groupBy("audience").agg(
        F.count_if(F.col("is") & ~F.col("was")).alias("entered"),
        F.count_if(F.col("was") & ~F.col("is")).alias("left"),
    )
    return {row["audience"]: (row["entered"], row["left"]) for row in rows.collect()}


def read_rules(audience_definitions: DataFrame, as_of: date) -> dict[str, str]:
    """The rule of each audience on a date: the latest by then, or else its first; bounded by the audiences."""
    # In a struct, because max_by skips NULL, which is the rule of an audience that has ended.
    by_then = F.expr(f"max_by(struct(sql), from_as_of) FILTER (WHERE from_as_of <= DATE'{as_of}')")
    first = F.expr("min_by(struct(sql), from_as_of)")
    rules = audience_definitions.groupBy("audience").agg(F.coalesce(by_then, first).alias("rule"))
    return {row["audience"]: row["rule"]["sql"] for row in rules.collect() if row["rule"]["sql"] is not None}


def find_changes(audience_definitions: DataFrame, as_of: date, before: date | None) -> dict[str, date]:
    """The date of the last change of each audience's rule between two dates; bounded by the audiences.

    The first rule of an audience is no change.
    """
    if before is None:
        return {}
    rows = audience_definitions.groupBy("audience").agg(
        F.min("from_as_of").alias("first"),
        F.expr(f"max(from_as_of) FILTER (WHERE from_as_of <= DATE'{as_of}')").alias("last"),
    )
    changed = rows.where((F.col("last") > F.col("first")) & (F.col("last") > F.lit(before)))
    return {row["audience"]: row["last"] for row in changed.collect()}


def combine(
    configured: Mapping[str, Audience], totals: Totals, movement: Movement
) -> tuple[AudienceCount, ...]:
    """Every configured audience with its numbers, the largest first. An audience without members has 0."""
    counts = [
        AudienceCount(
            name, each.description, each.strategy.owner, each.strategy.benefits,
            *(n, *movement.get(name, (0, 0)), amount),
        )
        for name, each in configured.items()
        for n, amount, _ in [totals.get(name, (0, Decimal(), 0))]
    ]  # fmt: skip
    return tuple(sorted(counts, key=lambda count: (-count.n_users, count.audience)))


def render(data: AudienceData, seen: Disclosure, words: Words) -> Iterator[Chapter]:
    """Size, movement and value of each audience, and its rule."""
    title, about = words("audiences.title"), words("audiences.about")
    if data.counts:
        figures = drop_empty(_size_chart(data, seen, words), _grid(data, seen, words))
        yield Chapter("audiences", title, about, (), figures)
    else:
        yield Chapter("audiences", title, about, (words("audiences.none"),))
    yield Chapter(MADE, figures=drop_empty(_rules_grid(data, words)))


def is_shown(count: AudienceCount, data: AudienceData, seen: Disclosure) -> bool:
    """Whether the users of an audience may be shown: neither they nor the remaining users may be a withheld group.

    The rule of an audience often describes another group of the page, such as a stage, or all users but that group.
    """
    everyone = sum(n for cell, n in seen.cells.items() if cell[:2] == (STAGE, data.as_of))
    # Numbers of other dates describe no audience of today.
    hidden = (cell for cell in seen.cells if cell not in seen)
    withheld = {seen.cells[cell] for cell in hidden if cell[0] != STAGE or cell[1] == data.as_of}
    groups = {count.n_users, everyone - count.n_users, seen.cells.get(BUYERS, 0) - count.n_users} - {0}
    return not count.n_users or not any(seen.is_small(n) or n in withheld for n in groups)


def _label(audience: str, words: Words) -> str:
    """The name of an audience as text."""
    return words.translate(audience.replace("_", " ").capitalize())


def _size_chart(data: AudienceData, seen: Disclosure, words: Words) -> Chart | None:
    shown = [count for count in data.counts if count.n_users and is_shown(count, data, seen)]
    if not shown:
        return None
    points = [Point(_label(c.audience, words), "", c.n_users, words.count(c.n_users)) for c in shown]
    title = words("audiences.chart", date=words.day(data.as_of))
    spec = bars_chart(points, Titles(words("column.audience"), words("column.users")))
    return Chart("audiences-chart", title, words("audiences.about"), spec)


def _grid(data: AudienceData, seen: Disclosure, words: Words) -> Grid:
    names = ("audience", "users", "entered", "left", "spend", "spend_per_user", "owner")
    heads = columns(words, *names, period=data.period)
    rows = tuple(_row(count, data, seen, words) for count in data.counts)
    return Grid(words.describe_comparison("audiences.grid", data.as_of, data.before), heads, rows)


def _row(count: AudienceCount, data: AudienceData, seen: Disclosure, words: Words) -> tuple[Cell, ...]:
    shown, stayed = is_shown(count, data, seen), count.n_users - count.n_entered
    per_user = words.price(count.amount / count.n_users) if count.n_users else ""
    changed = data.changed_on.get(count.audience)
    mark = words("audiences.changed", date=words.day(changed)) if changed else ""
    return (
        Cell(_label(count.audience, words), below=words.translate(count.description)),
        replace(figure(words.count(count.n_users), shown), below=mark),
        *movement_cells(count.n_entered, count.n_left, stayed, words, seen.least_users),
        figure(words.money(count.amount), shown),
        figure(per_user, shown),
        text(words.translate(count.owner)),
    )


def _rules_grid(data: AudienceData, words: Words) -> Grid:
    rows = tuple(
        (
            text(_label(count.audience, words)),
            Cell(words.translate(count.description), below=data.rules.get(count.audience, "")),
        )
        for count in data.counts
    )
    heads = columns(words, "audience", "rule")
    return Grid(words("made.audiences"), heads, rows, layout="rules", is_folded=True)


def summarize(data: AudienceData, seen: Disclosure, words: Words) -> Summary:
    """The audience with the greatest spend."""
    shown = [count for count in data.counts if count.n_users and is_shown(count, data, seen)]
    if not shown:
        return Summary()
    first = max(shown, key=lambda count: (count.amount, count.audience))
    values = {
        "audience": _label(first.audience, words),
        "amount": words.short_money(first.amount),
        "owner": words.translate(first.owner) or words("word.nobody"),
        "planned": words.plan(first.benefits),
    }
    sentence = Sentence(words("summary.audience", n=first.n_users, **values), "audiences-chart")
    return Summary(sentences=(sentence,))


SECTION = Section(
    key="audiences",
    place=40,
    reads=("audience_totals", "audience_definitions", "user_audiences", *READS),
    texts="activation/audiences/texts",
    read=read,
    render=render,
    summary=summarize,
)

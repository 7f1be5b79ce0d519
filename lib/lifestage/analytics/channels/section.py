"""The section of the report on channels: where users act, and what joining their identifiers changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.channels.config import ChannelsConfig
from lifestage.platform.reporting.disclosure import REGROUPED, SIDES, STAGE, Cell, Disclosure, Equation
from lifestage.platform.reporting.grids import Cell as GridCell
from lifestage.platform.reporting.grids import Column, Grid, columns, drop_empty, figure, text
from lifestage.platform.reporting.section import Chapter, Section, Source
from lifestage.platform.reporting.words import Words
from lifestage.users.identity.movement import READS, read_regrouped_users
from lifestage.users.identity.regrouping import Regrouped

MIXES = ("online only", "shop only", "both")
# Kinds of cells: users of a channel mix, and of a mix and stage.
MIX, MIX_STAGE = "mix", "mixed"


@dataclass(frozen=True)
class ChannelCount:
    """Users with a channel mix (None: no action lately) and stage, and their net spend in the period."""

    mix: str | None
    stage: str
    n_users: int
    amount: Decimal


@dataclass(frozen=True)
class Reach:
    """Visits and net spend of a period: all, those that name a known person, and those of a known person when joined."""

    days: int
    n_visits: int
    n_visits_alone: int
    n_visits_joined: int
    net: Decimal
    net_alone: Decimal
    net_joined: Decimal


@dataclass(frozen=True)
class ChannelData:
    """Everything that the section shows."""

    as_of: date
    before: date | None = None
    display: tuple[str, ...] = ()
    period: int = 0
    """Days that the spend covers; 0 without users."""
    counts: tuple[ChannelCount, ...] = ()
    reach: Reach | None = None
    regrouped: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Users who merged, split or were renamed: their numbers on the date before and now."""

    @property
    def users(self) -> dict[str | None, int]:
        """Users by channel mix."""
        totals: dict[str | None, int] = {}
        for count in self.counts:
            totals[count.mix] = totals.get(count.mix, 0) + count.n_users
        return totals

    @property
    def spend(self) -> dict[str | None, Decimal]:
        """Net spend by channel mix."""
        totals: dict[str | None, Decimal] = {}
        for count in self.counts:
            totals[count.mix] = totals.get(count.mix, Decimal()) + count.amount
        return totals

    @property
    def mixes(self) -> list[str | None]:
        """The mixes of the data: the usual ones, then those of the project, then no action."""
        others = sorted(mix for mix in self.users if mix and mix not in MIXES)
        return [mix for mix in (*MIXES, *others, None) if mix in self.users]

    @property
    def stages(self) -> list[str]:
        """The stages of the data: in display order, then any other stage."""
        found = {count.stage for count in self.counts}
        return [stage for stage in (*self.display, *sorted(found - set(self.display))) if stage in found]


def read(source: Source) -> ChannelData:
    """Read totals, reach and the number of regrouped users."""
    counts, period = read_counts(source.read("channel_totals"), source.as_of)
    return ChannelData(
        as_of=source.as_of,
        before=source.before,
        display=source.config.of(ChannelsConfig).display,
        period=period,
        counts=counts,
        reach=read_reach(source.read("channel_reach"), source.as_of),
        regrouped=source.compute_once(read_regrouped_users).counts,
    )


def read_counts(channel_totals: DataFrame, as_of: date) -> tuple[tuple[ChannelCount, ...], int]:
    """Users and spend by mix and stage, and the days that the spend covers; bounded by mixes times stages."""
    rows = channel_totals.where(F.col("as_of") == F.lit(as_of)).collect()
    counts = [ChannelCount(r["channel_mix"], r["stage"], r["n_users"], r["monetary_amount"]) for r in rows]
    period = max((row["period_days"] or 0 for row in rows), default=0)
    return tuple(sorted(counts, key=lambda count: (count.mix or "~", count.stage))), period


def read_reach(channel_reach: DataFrame, as_of: date) -> Reach | None:
    """The reach of a date, which has at most one row."""
    row = channel_reach.where(F.col("as_of") == F.lit(as_of)).drop("as_of").first()
    return Reach(*row) if row else None


def cells(data: ChannelData) -> dict[Cell, int]:
    """Users by mix, by mix and stage, and regrouped users on both dates."""
    return {
        **{
            (REGROUPED, change, side): n
            for change, numbers in data.regrouped.items()
            for side, n in zip(SIDES, numbers, strict=True)
        },
        **{(MIX, mix): n for mix, n in data.users.items()},
        **{(MIX_STAGE, count.mix, count.stage): count.n_users for count in data.counts},
    }


def equations(data: ChannelData) -> Iterator[Equation]:
    """The mixes add up to all users, and the stages of the mixes to each mix and to each stage."""
    if data.users:
        yield {(MIX, mix): 1 for mix in data.users}
    found = [(MIX_STAGE, count.mix, count.stage) for count in data.counts]
    for mix in data.users:
        yield {(MIX, mix): -1, **{cell: 1 for cell in found if cell[1] == mix}}
    for stage in data.stages:
        yield {(STAGE, data.as_of, stage): -1, **{cell: 1 for cell in found if cell[2] == stage}}


def render(data: ChannelData, seen: Disclosure, words: Words) -> Iterator[Chapter]:
    """The reach of the business, users who merged or split, and users by channel with stages and value."""
    title, about = words("channels.title"), words("channels.about")
    notes = (*_reach_notes(data, words), *_regrouped_notes(data, seen, words))
    if data.counts:
        figures = drop_empty(_mix_grid(data, seen, words), _stages_grid(data, seen, words))
        yield Chapter("channels", title, about, notes, figures)
    else:
        yield Chapter("channels", title, about, notes or (words("channels.nobody"),))


def _reach_notes(data: ChannelData, words: Words) -> tuple[str, ...]:
    reach = data.reach
    if reach is None:
        return ()
    parts = {
        "revenue_alone": words.share(reach.net_alone, reach.net),
        "revenue_joined": words.share(reach.net_joined, reach.net),
        "visits_alone": words.share(reach.n_visits_alone, reach.n_visits),
        "visits_joined": words.share(reach.n_visits_joined, reach.n_visits),
    }
    return (words("channels.reach", days=reach.days, **parts),)


def _regrouped_notes(data: ChannelData, seen: Disclosure, words: Words) -> tuple[str, ...]:
    """Users who merged, split or were renamed since the date before, if the numbers may be shown."""
    found = {change: data.regrouped[change] for change in Regrouped if change in data.regrouped}
    return tuple(
        words(f"channels.{change}", was=words.count(was), n=n, before=words.day(data.before))
        for change, (was, n) in found.items()
        if data.before and all((REGROUPED, change, side) in seen for side in SIDES)
    )


def _mix_grid(data: ChannelData, seen: Disclosure, words: Words) -> Grid:
    users, spend = data.users, data.spend
    total, spent = sum(users.values()), sum(spend.values())
    rows: list[tuple[GridCell, ...]] = []
    for mix in data.mixes:
        is_shown = (MIX, mix) in seen
        rows.append((
            text(_name(mix, words)),
            figure(words.count(users[mix]), is_shown),
            figure(words.share(users[mix], total), is_shown),
            figure(words.money(spend[mix]), is_shown),
            figure(words.share(spend[mix], spent), is_shown),
            figure(words.price(spend[mix] / users[mix]), is_shown),
        ))  # fmt: skip
    names = ("mix", "users", "share", "spend", "share_of_spend", "spend_per_user")
    heads = columns(words, *names, period=data.period)
    return Grid(words("channels.grid", date=words.day(data.as_of)), heads, tuple(rows))


def _stages_grid(data: ChannelData, seen: Disclosure, words: Words) -> Grid:
    """Users of each stage by channel mix."""
    counts = {(count.mix, count.stage): count.n_users for count in data.counts}
    nobody = figure(words.count(0))
    rows = []
    for stage in data.stages:
        users = [
            figure(words.count(counts[mix, stage]), (MIX_STAGE, mix, stage) in seen)
            if (mix, stage) in counts
            else nobody
            for mix in data.mixes
        ]
        rows.append((text(words.translate(stage)), *users))
    heads = (*columns(words, "stage"), *[Column(_name(mix, words)) for mix in data.mixes])
    return Grid(words("channels.stages", date=words.day(data.as_of)), heads, tuple(rows))


def _name(mix: str | None, words: Words) -> str:
    return words("channels.silent") if mix is None else words.translate(mix)


SECTION = Section(
    key="channels",
    place=50,
    reads=("channel_totals", "channel_reach", *READS),
    texts="analytics/channels/texts",
    read=read,
    render=render,
    cells=cells,
    equations=equations,
)

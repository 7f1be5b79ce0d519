"""The data of the stages section: users and spend by date and stage, moves since the date before, and who declines."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.stages.config import Stage, StageLadder
from lifestage.analytics.stages.decline import CategoryChange, read_category_changes
from lifestage.analytics.stages.lookback import find_first_full_dates
from lifestage.platform.as_of_dates import EarlierDates
from lifestage.platform.reporting.disclosure import REGROUPED, SIDES, STAGE, Cell, Equation
from lifestage.platform.reporting.section import Source
from lifestage.users.features.config import FeaturesConfig
from lifestage.users.identity.movement import Move, count_moves, read_regrouped_users
from lifestage.users.identity.regrouping import Regrouped

HISTORY_DAYS = 400
MOVE = "move"
"""Users by their stage on two dates: (MOVE, before, now)."""


@dataclass(frozen=True)
class StageCount:
    """Users in a stage as of a date, and their net spend of the 30 days before."""

    as_of: date
    stage: str
    n_users: int
    amount: Decimal = Decimal()


@dataclass(frozen=True)
class StageData:
    """Everything that the section shows."""

    as_of: date
    earlier: EarlierDates = field(default_factory=EarlierDates)
    display: tuple[str, ...] = ()
    ladder: tuple[Stage, ...] = ()
    counts: tuple[StageCount, ...] = ()
    """In the order of dates."""
    moves: tuple[Move, ...] = ()
    full_from: Mapping[str, date] = field(default_factory=dict)
    """First date of a stage on which the history covers all that its rules look back on."""
    changed_rules: tuple[str, ...] = ()
    """Stages whose rule is not what it was on the date before."""
    spend: Mapping[str, Decimal] = field(default_factory=dict)
    """Net spend of the period by stage."""
    period: int = 0
    """Days that this spend covers."""
    categories: tuple[CategoryChange, ...] = ()
    """What declining users spend, the category with the greatest loss first."""

    @property
    def before(self) -> date | None:
        """The date that moves are counted since."""
        return self.earlier.before

    def is_short(self, stage: str, as_of: date) -> bool:
        """Whether the history up to a date is too short to tell who is in a stage."""
        return as_of < self.full_from.get(stage, as_of)

    @property
    def order(self) -> tuple[str, ...]:
        """The display order, then any other stage of the data."""
        found = {count.stage for count in self.counts}
        return (*self.display, *sorted(found - set(self.display)))

    @property
    def newest(self) -> dict[str, StageCount]:
        """The counts of the last date by stage, in display order."""
        newest = {count.stage: count for count in self.counts if count.as_of == self.counts[-1].as_of}
        return {stage: newest[stage] for stage in self.order if stage in newest}

    @property
    def totals(self) -> dict[date, int]:
        """Users in any stage, by date."""
        totals: dict[date, int] = {}
        for count in self.counts:
            totals[count.as_of] = totals.get(count.as_of, 0) + count.n_users
        return totals


def read(source: Source) -> StageData:
    """Read counts, moves, spend and categories."""
    ladder, as_of, before = source.config.of(StageLadder), source.as_of, source.before
    users = source.compute_once(read_regrouped_users).users
    spend, period = read_spend(source.read("channel_totals"), as_of)
    return StageData(
        as_of=as_of,
        earlier=source.earlier,
        display=ladder.display,
        ladder=ladder.ladder,
        counts=count_stages(source.read("stage_totals"), as_of),
        moves=count_moves(source.read("user_stages"), "stage", as_of, before, users),
        full_from=find_first_full_dates(ladder, source.config.of(FeaturesConfig)),
        changed_rules=find_changed_rules(source.read("user_stages"), as_of, before),
        spend=spend,
        period=period,
        categories=read_category_changes(source),
    )


def read_spend(channel_totals: DataFrame, as_of: date) -> tuple[dict[str, Decimal], int]:
    """Net spend by stage, and the days that it covers; bounded by stages times channel mixes."""
    spend: dict[str, Decimal] = {}
    rows = channel_totals.where(F.col("as_of") == F.lit(as_of)).collect()
    for row in rows:
        spend[row["stage"]] = spend.get(row["stage"], Decimal()) + row["monetary_amount"]
    return spend, max((row["period_days"] or 0 for row in rows), default=0)


def find_changed_rules(user_stages: DataFrame, as_of: date, before: date | None) -> tuple[str, ...]:
    """Stages whose rule differs between two dates, in order of name; bounded by the stages. Empty without a date before."""
    rows = (
        user_stages.where(F.col("as_of").isin(as_of, before))
        .groupBy("stage")
        .agg(F.count_distinct("rule").alias("n"))
    )
    return tuple(sorted(row["stage"] for row in rows.where("n > 1").collect())) if before else ()


def count_stages(stage_totals: DataFrame, as_of: date) -> tuple[StageCount, ...]:
    """Users and spend by date and stage; bounded by the as_of dates of HISTORY_DAYS times the stages."""
    since = as_of - timedelta(days=HISTORY_DAYS)
    rows = stage_totals.where(F.col("as_of").between(F.lit(since), F.lit(as_of))).collect()
    counts = [StageCount(row["as_of"], row["stage"], row["n_users"], row["net_amount_30d"]) for row in rows]
    return tuple(sorted(counts, key=lambda count: (count.as_of, count.stage)))


def rungs_of(ladder: Collection[Stage], stages: Collection[str]) -> list[Stage]:
    """The rungs of some stages, in order of evaluation."""
    return [rung for rung in ladder if rung.stage in stages]


def cells(data: StageData) -> dict[Cell, int]:
    """Users by date and stage, and users by move."""
    return {
        **{(STAGE, count.as_of, count.stage): count.n_users for count in data.counts},
        **{(MOVE, move.moved_from, move.moved_to): move.n_users for move in data.moves},
    }


def equations(data: StageData) -> Iterator[Equation]:
    """The stages of a date add up to its users. The users of a stage moved somewhere, and came from somewhere."""
    for day in data.totals:
        yield {(STAGE, count.as_of, count.stage): 1 for count in data.counts if count.as_of == day}
    moves = [(MOVE, move.moved_from, move.moved_to) for move in data.moves]
    for side, as_of in zip(SIDES, (data.before, data.as_of), strict=True):
        for stage in {move[side] for move in moves} - {None, *Regrouped}:
            yield {**dict.fromkeys((m for m in moves if m[side] == stage), 1), (STAGE, as_of, stage): -1}
        for change in {change for move in moves for change in move[1:]} & {*Regrouped}:
            changed = [m for m in moves if change in m[1:] and m[side] != change]
            yield {**dict.fromkeys(changed, 1), (REGROUPED, change, side): -1}

"""The data of the stages section: users and spend by date and stage, and moves since the date before."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.stages.config import Stage, StageLadder
from lifestage.platform.reporting.disclosure import REGROUPED, SIDES, STAGE, Cell, Equation
from lifestage.platform.reporting.section import Source
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
    before: date | None = None
    display: tuple[str, ...] = ()
    ladder: tuple[Stage, ...] = ()
    counts: tuple[StageCount, ...] = ()
    """In the order of dates."""
    moves: tuple[Move, ...] = ()

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
    """Read counts and moves."""
    ladder, as_of, before = source.config.of(StageLadder), source.as_of, source.before
    users = source.compute_once(read_regrouped_users).users
    return StageData(
        as_of=as_of,
        before=before,
        display=ladder.display,
        ladder=ladder.ladder,
        counts=count_stages(source.read("stage_totals"), as_of),
        moves=count_moves(source.read("user_stages"), "stage", as_of, before, users),
    )


def count_stages(stage_totals: DataFrame, as_of: date) -> tuple[StageCount, ...]:
    """Users and spend by date and stage; bounded by the as_of dates of HISTORY_DAYS times the stages."""
    since = as_of - timedelta(days=HISTORY_DAYS)
    rows = stage_totals.where(F.col("as_of").between(F.lit(since), F.lit(as_of))).collect()
    counts = [StageCount(row["as_of"], row["stage"], row["n_users"], row["net_amount_30d"]) for row in rows]
    return tuple(sorted(counts, key=lambda count: (count.as_of, count.stage)))


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

"""The data of the value section: users by RFM cell and tier, concentration of spend, parts of the value index."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from lifestage.analytics.value.config import ValueConfig
from lifestage.analytics.value.rfm import INSUFFICIENT_VARIETY
from lifestage.platform.reporting.disclosure import BUYERS, Cell, Equation, cells_of_kind
from lifestage.platform.reporting.section import Source
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.users.identity.movement import Move, count_moves, read_regrouped_users

# Kinds of cells: users of an RFM cell, of a name of the R x F map, of a tier, and of a status without scores.
RFM, NAME, TIER, UNSCORED = "rfm", "name", "tier", "unscored"


@dataclass(frozen=True)
class RfmCount:
    """Users with an RFM status and, if scored, in a cell of the R x F map."""

    status: str
    period_days: int
    r_score: int | None
    f_score: int | None
    n_users: int
    amount: Decimal


@dataclass(frozen=True)
class TierCount:
    """Users in a tier, their net spend in the period, and the least value index among them."""

    tier: str
    n_users: int
    amount: Decimal
    least_index: Decimal


@dataclass(frozen=True)
class TopShare:
    """Net spend of the best `percent` percent of buyers."""

    percent: int
    n_users: int
    amount: Decimal


@dataclass(frozen=True)
class IndexPart:
    """A component of the value index: its weight, and the values between which it is scaled."""

    dimension: str
    component: str
    weight: float
    p5: float
    p95: float


@dataclass(frozen=True)
class ValueData:
    """Everything that the section shows."""

    as_of: date
    names: Mapping[str, str] = field(default_factory=dict)
    """Patterns of cells of the R x F map, such as `[1-2][3-4]`, each with its name."""
    has_variety: bool = True
    """Whether the cells have names: ties leave enough different scores."""
    rfm: tuple[RfmCount, ...] = ()
    tiers: tuple[TierCount, ...] = ()
    """The best first."""
    moves: tuple[Move, ...] = ()
    top_shares: tuple[TopShare, ...] = ()
    """In ascending order of percent; the last is everything."""
    parts: tuple[IndexPart, ...] = ()
    before: date | None = None
    """The date that moves are counted since."""
    is_index_changed: bool = False
    """Whether components or weights of the value index are not those of that date."""

    @property
    def period(self) -> int:
        """Days that RFM looks back on; 0 without users."""
        return self.rfm[0].period_days if self.rfm else 0

    @property
    def scored(self) -> dict[tuple[int, int], RfmCount]:
        """The counts of the cells of the R x F map."""
        return {(c.r_score, c.f_score): c for c in self.rfm if c.r_score and c.f_score}

    def name_of(self, r_score: int, f_score: int) -> str:
        """The name of a cell of the R x F map. A valid map has exactly one; without variety, all share one."""
        if not self.has_variety:
            return INSUFFICIENT_VARIETY
        cell = f"{r_score}{f_score}"
        return next((name for pattern, name in self.names.items() if re.fullmatch(pattern, cell)), cell)


def read(source: Source) -> ValueData:
    """Read totals, shares, scales and moves between tiers."""
    is_of_date, is_before = (F.col("as_of") == F.lit(day) for day in (source.as_of, source.before))
    totals, shares, scales, scales_before = run_in_parallel([
        partial(_collect, source.read(name).where(is_read))
        for name, is_read in (
            ("value_totals", is_of_date), ("spend_shares", is_of_date), ("value_scales", is_of_date), ("value_scales", is_before),
        )
    ])  # fmt: skip
    users = source.compute_once(read_regrouped_users).users
    return ValueData(
        as_of=source.as_of,
        names=source.config.of(ValueConfig).rfm.names,
        has_variety=all(row["rfm_name"] != INSUFFICIENT_VARIETY for row in totals),
        rfm=sum_by_cell(totals),
        tiers=sum_by_tier(totals),
        moves=count_moves(source.read("user_value"), "tier", source.as_of, source.before, users),
        top_shares=to_top_shares(shares),
        parts=to_index_parts(scales),
        before=source.before,
        is_index_changed=bool(scales_before) and _weights(scales_before) != _weights(scales),
    )


def _weights(scales: Sequence[Any]) -> dict[tuple[str, str], float]:
    """The weight of each component, from rows of value_scales of one date."""
    return {(row["dimension"], row["component"]): row["weight"] for row in scales}


def _collect(rows: DataFrame) -> list[Row]:
    """The rows of one date; bounded by RFM cells times tiers, 100 shares, or the components of the index."""
    return rows.collect()


def sum_by_cell(totals: Sequence[Any]) -> tuple[RfmCount, ...]:
    """Users and spend by status and cell, from rows of value_totals of one date."""
    counts: dict[tuple[str, int, int | None, int | None], tuple[int, Decimal]] = {}
    for row in totals:
        key = (row["rfm_status"], row["rfm_period_days"], row["r_score"], row["f_score"])
        n, amount = counts.get(key, (0, Decimal()))
        counts[key] = (n + row["n_users"], amount + row["monetary_amount"])
    found = [RfmCount(*key, n, amount) for key, (n, amount) in counts.items()]
    return tuple(sorted(found, key=lambda count: (count.status, count.r_score or 0, count.f_score or 0)))


def sum_by_tier(totals: Sequence[Any]) -> tuple[TierCount, ...]:
    """Users and spend by tier, the best first, from rows of value_totals of one date."""
    tiers: dict[str, TierCount] = {}
    for row in totals:
        if row["tier"] is not None:
            so_far = tiers.get(row["tier"], TierCount(row["tier"], 0, Decimal(), row["least_index"]))
            tiers[row["tier"]] = TierCount(
                row["tier"],
                so_far.n_users + row["n_users"],
                so_far.amount + row["monetary_amount"],
                min(so_far.least_index, row["least_index"]),
            )
    return tuple(sorted(tiers.values(), key=lambda tier: (-tier.least_index, tier.tier)))


def to_top_shares(shares: Sequence[Any]) -> tuple[TopShare, ...]:
    """Rows of spend_shares of one date."""
    found = [TopShare(row["percent"], row["n_users"], row["monetary_amount"]) for row in shares]
    return tuple(sorted(found, key=lambda share: share.percent))


def to_index_parts(scales: Sequence[Any]) -> tuple[IndexPart, ...]:
    """Rows of value_scales of one date, the heaviest component first."""
    parts = [
        IndexPart(row["dimension"], row["component"], row["weight"], row["p5"], row["p95"]) for row in scales
    ]
    return tuple(sorted(parts, key=lambda part: (-part.weight, part.dimension, part.component)))


def cells(data: ValueData) -> dict[Cell, int]:
    """Users by cell of the R x F map, by its name, by tier, and of each status without scores."""
    scored = {place: count.n_users for place, count in data.scored.items()}
    names: dict[Cell, int] = {}
    for place, n in scored.items():
        name = (NAME, data.name_of(*place))
        names[name] = names.get(name, 0) + n
    return {
        **{(RFM, *place): n for place, n in scored.items()},
        **names,
        BUYERS: sum(scored.values()),
        **{(UNSCORED, count.status): count.n_users for count in data.rfm if count.r_score is None},
        **{(TIER, tier.tier): tier.n_users for tier in data.tiers},
    }


def equations(data: ValueData) -> Iterator[Equation]:
    """Buyers and users without scores are all users. Cells, names and tiers each add up to the buyers."""
    found = cells(data)
    yield {BUYERS: 1, **dict.fromkeys(cells_of_kind(found, UNSCORED), 1)}
    for kind in (RFM, NAME, TIER):
        if groups := cells_of_kind(found, kind):
            yield {BUYERS: -1, **dict.fromkeys(groups, 1)}
    for name in cells_of_kind(found, NAME):
        of_name = [cell for cell in cells_of_kind(found, RFM) if data.name_of(*cell[1:]) == name[1]]
        yield {name: -1, **dict.fromkeys(of_name, 1)}

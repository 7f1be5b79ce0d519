"""What a report says, as plain values: data.py fills it from tables, page.py shows it, neither knows the other."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

from lifestage.activation.report.disclosure import cells_of, equations_of
from lifestage.platform.reporting.disclosure import Cell, find_showable_cells


@dataclass(frozen=True)
class Header:
    """Which run the report is about."""

    business: str
    as_of: date
    run_id: str
    now: datetime
    code_version: str


@dataclass(frozen=True)
class StageCount:
    """Users in one stage as of one date, and their net spend of the 30 days before."""

    as_of: date
    stage: str
    n_users: int
    amount: Decimal = Decimal()


@dataclass(frozen=True)
class Flow:
    """Users of the last two dates by their group on each; None on the side where they are in none."""

    moved_from: str | None
    moved_to: str | None
    n_users: int


@dataclass(frozen=True)
class TierCount:
    """Users in one tier with their net spend in the period, and the least value index that led to it."""

    tier: str
    n_users: int
    amount: Decimal
    least_index: Decimal


@dataclass(frozen=True)
class TopShare:
    """What the best so many percent of buyers spent of everything."""

    percent: int
    n_users: int
    amount: Decimal


@dataclass(frozen=True)
class AudienceCount:
    """One audience: its users, who came and went since the date before, their net spend, and who looks after them."""

    audience: str
    description: str
    owner: str
    n_users: int
    n_entered: int
    n_left: int
    amount: Decimal
    benefits: str = ""


@dataclass(frozen=True)
class Rule:
    """The rule of a stage, as configured, and what is planned for its users."""

    stage: str
    description: str
    when: str
    benefits: str = ""


@dataclass(frozen=True)
class Part:
    """One component of the value index: its weight, and the values between which it is scaled."""

    dimension: str
    component: str
    weight: float
    p5: float
    p95: float


@dataclass(frozen=True)
class ChannelCount:
    """Users of one channel mix (None: who did nothing lately) and stage, and their net spend in the period."""

    mix: str | None
    stage: str
    n_users: int
    amount: Decimal


@dataclass(frozen=True)
class Reach:
    """Visits and net spend of so many days: all, those that name somebody who is known, and with channels joined."""

    days: int
    n_visits: int
    n_visits_alone: int
    n_visits_joined: int
    net: Decimal
    net_alone: Decimal
    net_joined: Decimal


@dataclass(frozen=True)
class RfmCount:
    """Users with one RFM status and, where scored, in one cell of the R x F map."""

    status: str
    period_days: int
    r_score: int | None
    f_score: int | None
    n_users: int
    amount: Decimal


@dataclass(frozen=True)
class Feature:
    """A feature that segments are described by."""

    name: str
    description: str
    unit: str


@dataclass(frozen=True)
class SegmentCount:
    """Users of one segment (or of a status without one), with sum and count of the values of each feature."""

    status: str
    model_id: str | None
    segment_id: int | None
    segment: str | None
    n_users: int
    sums: tuple[Decimal, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Delivery:
    """One row of the ingest ledger. `counts` has the ledger's columns n_*, 0 where it has NULL."""

    number: int
    source: str
    kind: str
    path: str
    ingested_at: str
    is_new: bool
    counts: Mapping[str, int]
    reasons: Mapping[str, int]
    last_event_date: date | None = None


@dataclass(frozen=True)
class Check:
    """One check before publication and what it saw."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Snapshot:
    """The newest manifest of one as_of."""

    snapshot_id: str
    as_of: date
    revision: int
    n_users: int
    digest: str
    published_at: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class CompletedRun:
    """One row of `runs`."""

    run_id: str
    now: str
    as_of_dates: tuple[date, ...]
    delivery_no: int | None
    code_version: str
    snapshot_ids: tuple[str, ...]
    table_versions: Mapping[str, int]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class ReportData:
    """Everything on the page; sequences may be empty, each then gives a sentence instead of a figure."""

    header: Header
    before: date | None = None
    stage_order: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    stages: tuple[StageCount, ...] = ()
    stage_flows: tuple[Flow, ...] = ()
    rfm_names: Mapping[str, str] = field(default_factory=dict)
    rfm: tuple[RfmCount, ...] = ()
    parts: tuple[Part, ...] = ()
    tiers: tuple[TierCount, ...] = ()
    tier_flows: tuple[Flow, ...] = ()
    top_shares: tuple[TopShare, ...] = ()
    audiences: tuple[AudienceCount, ...] = ()
    audience_rules: Mapping[str, str] = field(default_factory=dict)
    least_users: int = 1
    features: tuple[Feature, ...] = ()
    segments: tuple[SegmentCount, ...] = ()
    segment_flows: tuple[Flow, ...] = ()
    channels: tuple[ChannelCount, ...] = ()
    reach: Reach | None = None
    regrouped: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    deliveries: tuple[Delivery, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    runs: tuple[CompletedRun, ...] = ()
    commits: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def cells(self) -> dict[Cell, int]:
        """Every number of users on the page that may be small."""
        return cells_of(self)

    @cached_property
    def seen(self) -> frozenset[Cell]:
        """The numbers of users that may be shown: neither small, nor such that a small one follows from them."""
        return find_showable_cells(self.cells, equations_of(self, self.cells), self.least_users)

    @cached_property
    def mix_users(self) -> dict[str | None, int]:
        """Users by channel mix."""
        found: dict[str | None, int] = {}
        for count in self.channels:
            found[count.mix] = found.get(count.mix, 0) + count.n_users
        return found

    @cached_property
    def mix_spend(self) -> dict[str | None, Decimal]:
        """Net spend by channel mix."""
        found: dict[str | None, Decimal] = {}
        for count in self.channels:
            found[count.mix] = found.get(count.mix, Decimal()) + count.amount
        return found

    @property
    def period(self) -> int:
        """Days that RFM looks back on; 0 where nobody has a value."""
        return self.rfm[0].period_days if self.rfm else 0

    def name_of(self, r_score: int, f_score: int) -> str:
        """The name of a cell of the R x F map; a sound map has exactly one."""
        cell = f"{r_score}{f_score}"
        return next((name for pattern, name in self.rfm_names.items() if re.fullmatch(pattern, cell)), cell)

"""What a report says, as plain values: data.py fills it from tables, page.py shows it, neither knows the other."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class Header:
    """Which run the report is about."""

    business: str
    currency: str
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
class StageFlow:
    """Users of the last two dates by the stage on each; None on the side where they are not."""

    moved_from: str | None
    moved_to: str | None
    n_users: int


@dataclass(frozen=True)
class TierCount:
    """Users in one tier with their net spend in the period, and how they came there since the date before."""

    tier: str
    n_users: int
    amount: Decimal
    least_index: Decimal
    n_entered: int
    n_left: int


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
    stage_order: tuple[str, ...] = ()
    stages: tuple[StageCount, ...] = ()
    flows: tuple[StageFlow, ...] = ()
    rfm_names: Mapping[str, str] = field(default_factory=dict)
    rfm: tuple[RfmCount, ...] = ()
    tiers: tuple[TierCount, ...] = ()
    top_shares: tuple[TopShare, ...] = ()
    audiences: tuple[AudienceCount, ...] = ()
    features: tuple[Feature, ...] = ()
    segments: tuple[SegmentCount, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    runs: tuple[CompletedRun, ...] = ()
    commits: Mapping[str, int] = field(default_factory=dict)

    def name_of(self, r_score: int, f_score: int) -> str:
        """The name of a cell of the R x F map; a sound map has exactly one."""
        cell = f"{r_score}{f_score}"
        return next((name for pattern, name in self.rfm_names.items() if re.fullmatch(pattern, cell)), cell)

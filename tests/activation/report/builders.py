"""A report's data with fixed defaults, so that a test states only what matters to it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from lifestage.activation.report.content import (
    AudienceCount,
    Check,
    CompletedRun,
    Delivery,
    Feature,
    Flow,
    Header,
    Part,
    ReportData,
    RfmCount,
    Rule,
    SegmentCount,
    Snapshot,
    StageCount,
    TierCount,
    TopShare,
)
from lifestage.platform.reporting.words import load_words

AS_OF, BEFORE = date(2026, 11, 21), date(2026, 11, 20)
WORDS = load_words("en", None, "EUR")
NOW = datetime(2026, 11, 22, 3, 15, tzinfo=UTC)
NAMES = {"[1-4][1-5]": "loyal", "5[1-5]": "champions"}
CHECKS = (Check("has users", True, "10 users"),)
COUNTS = (
    "n_rows",
    "n_accepted",
    "n_replaced",
    "n_superseded",
    "n_duplicate",
    "n_rejected",
    "n_suppressed",
    "n_late",
)


def empty(**changes):
    return replace(ReportData(Header("Shop", AS_OF, "run-1", NOW, "0.1.0")), **changes)


def full(**changes):
    """Something in every section."""
    data = empty(
        before=BEFORE,
        stage_order=("novice", "mature"),
        rules=(
            Rule("novice", "Joined lately", "tenure_days <= 90"),
            Rule("mature", "Steady", "true", "Status"),
        ),
        stages=(StageCount(BEFORE, "mature", 7), stage("novice", 2), stage("mature", 8)),
        rfm_names=NAMES,
        rfm=(
            rfm(5, 5, 3, "90.00"),
            rfm(1, 2, 1, "10.00"),
            RfmCount("not_scored", 365, None, None, 6, Decimal(0)),
        ),
        stage_flows=(Flow("mature", "mature", 5), Flow("novice", "mature", 3)),
        parts=(Part("economic", "spend", 1.0, 0.0, 90.0),),
        tiers=(
            TierCount("high", 1, Decimal(80), Decimal("0.75")),
            TierCount("low", 3, Decimal(20), Decimal(0)),
        ),
        tier_flows=(Flow("low", "low", 2), Flow("low", "high", 1)),
        top_shares=(TopShare(10, 1, Decimal(80)), TopShare(100, 4, Decimal(100))),
        audiences=(
            AudienceCount("win_back", "Long gone", "CRM", 2, 1, 1, Decimal(30), "An offer"),
            AudienceCount("sleeping", "Silent", "", 0, 0, 0, Decimal()),
        ),
        audience_rules={"win_back": "stage = 'churned'", "sleeping": "stage = 'dormant'"},
        features=(Feature("net_amount_365d", "Purchases minus returns", "money"),),
        segments=(segment(1, "big spenders", 2, "180.00"), segment(2, "others", 2, "20.00")),
        segment_flows=(Flow("1", "1", 1), Flow("2", "1", 1), Flow("2", "2", 2)),
        deliveries=(delivery(),),
        snapshots=(snapshot(),),
        runs=(completed("run-0"),),
        commits={"user_stages": 4},
    )
    return replace(data, **changes)


def stage(name="mature", n_users=1):
    return StageCount(AS_OF, name, n_users)


def rfm(r=5, f=5, n_users=1, amount="10.00"):
    return RfmCount("scored", 365, r, f, n_users, Decimal(amount))


def segment(number=1, name="big spenders", n_users=1, total="10.00"):
    return SegmentCount("modelled", "2026-09-30-ab", number, name, n_users, (Decimal(total),), (n_users,))


def delivery(number=1, source="web", path="in/web.csv", is_new=True, reasons=None, **counts):
    known = {"n_rows": 10, "n_accepted": 8, "n_duplicate": 1, "n_rejected": 1, **counts}
    rows = {name: known.get(name, 0) for name in COUNTS}
    return Delivery(
        number,
        source,
        "events",
        path,
        "2026-11-22 03:15",
        is_new,
        rows,
        {"missing:event_at": 1} if reasons is None else reasons,
        AS_OF,
    )


def snapshot(checks=CHECKS):
    return Snapshot(f"{AS_OF}.r1", AS_OF, 1, 10, "abc", "2026-11-22 03:15", checks)


def completed(run_id="run-0"):
    return CompletedRun(
        run_id,
        "2026-11-21 03:15",
        (AS_OF,),
        1,
        "0.1.0",
        (f"{AS_OF}.r1",),
        {"user_stages": 3},
        {"ingest": 12.5, "stages": 2.0},
    )

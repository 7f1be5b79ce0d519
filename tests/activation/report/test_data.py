from datetime import date, timedelta
from decimal import Decimal

import pytest

from activation.report.builders import AS_OF, NOW
from lifestage.activation.publish.tables import SNAPSHOTS
from lifestage.activation.report.content import Check, Feature, StageCount
from lifestage.activation.report.data import (
    DELIVERY_COUNTS,
    features_of,
    newest_deliveries,
    newest_runs,
    newest_snapshots,
    rfm_counts,
    segment_counts,
    stage_counts,
)
from lifestage.analytics.segments.tables import USER_SEGMENTS
from lifestage.analytics.stages.tables import STAGE_TOTALS
from lifestage.analytics.value.tables import USER_VALUE
from lifestage.ingestion.sources.tables import INGEST_LEDGER
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.project.tables import RUNS
from lifestage.users.catalogue.model import Catalogue
from lifestage.users.features.tables import user_features
from support.frames import build

BEFORE = AS_OF - timedelta(days=1)
USER_FEATURES = user_features(Catalogue.model_validate(packaged_yaml("users/catalogue/defaults.yaml")))
FEATURES = (Feature("spend", "Spend", "money"), Feature("share", "Share", "share"))


def value(user_id, status="scored", r=None, f=None, amount=None, as_of=AS_OF):
    scores = {"r_score": r, "f_score": f, "monetary_amount": None if amount is None else Decimal(amount)}
    return {"user_id": user_id, "as_of": as_of, "rfm_status": status, "rfm_period_days": 365, **scores}


def member(user_id, number, name, as_of=AS_OF):
    return {
        "user_id": user_id,
        "as_of": as_of,
        "status": "modelled",
        "model_id": "m",
        "segment_id": number,
        "segment": name,
    }


def entry(number, ingested_at=NOW, **columns):
    row = {
        "delivery_no": number,
        "source": "web",
        "kind": "events",
        "path": f"in/{number}.csv",
        "fingerprint": "x",
    }
    return {**row, "ingested_at": ingested_at, **columns}


def manifest(as_of, revision, checks=()):
    row = {"snapshot_id": f"{as_of}.r{revision}", "as_of": as_of, "revision": revision, "published_at": NOW}
    return {**row, "run_id": "run-1", "n_users": 2, "digest": "d", "checks": list(checks)}


def test_stages_are_counted_by_date_up_to_as_of(spark):
    later, too_old = AS_OF + timedelta(days=1), AS_OF - timedelta(days=401)
    rows = [
        {"as_of": day, "stage": name, "n_users": n, "net_amount_30d": spend}
        for day, name, n, spend in (
            (AS_OF, "mature", 2, "2.75"), (BEFORE, "novice", 1, "9.00"), (later, "mature", 3, "1.00"), (too_old, "mature", 4, "1.00"),
        )
    ]  # fmt: skip
    counts = (StageCount(BEFORE, "novice", 1, Decimal(9)), StageCount(AS_OF, "mature", 2, Decimal("2.75")))
    assert stage_counts(build(spark, STAGE_TOTALS, rows), AS_OF) == counts


def test_rfm_cells_hold_users_and_spend_of_the_date(spark):
    rows = [
        value("u1", r=5, f=1, amount="10.50"),
        value("u2", r=5, f=1, amount="0.25"),
        value("u3", "not_scored"),
    ]
    rows += [value("u1", r=1, f=1, amount="1.00", as_of=BEFORE)]
    unscored, cell = rfm_counts(build(spark, USER_VALUE, rows), AS_OF)
    assert (unscored.status, unscored.r_score, unscored.n_users, unscored.amount) == (
        "not_scored",
        None,
        1,
        0,
    )
    assert (cell.r_score, cell.f_score, cell.n_users, cell.amount) == (5, 1, 2, Decimal("10.75"))


def test_segments_sum_the_values_that_are_known(spark):
    segments = [
        member("u1", 1, "big"),
        member("u2", 1, "big"),
        member("u3", 2, "small"),
        member("u1", 2, "small", BEFORE),
    ]
    schema = "user_id string, as_of date, spend decimal(18,2), share double"
    users = [
        ("u1", AS_OF, Decimal("1.50"), 0.1),
        ("u2", AS_OF, Decimal("2.50"), None),
        ("u1", BEFORE, Decimal(9), 0.9),
    ]
    user_features = spark.createDataFrame(users, schema)
    big, small = segment_counts(build(spark, USER_SEGMENTS, segments), user_features, FEATURES, AS_OF)
    assert (big.segment_id, big.segment, big.n_users) == (1, "big", 2)
    assert (big.sums, big.counts) == ((Decimal(4), Decimal("0.1")), (2, 1))
    assert (small.n_users, small.sums, small.counts) == (1, (0, 0), (0, 0))


def test_segments_without_features_to_profile_are_counted(spark):
    segments = build(spark, USER_SEGMENTS, [member("u1", 1, "big")])
    (big,) = segment_counts(segments, spark.createDataFrame([], "user_id string, as_of date"), (), AS_OF)
    assert (big.n_users, big.sums, big.counts) == (1, (), ())


def test_the_newest_delivery_comes_first_and_absent_counts_are_zero(spark):
    rows = [entry(1, NOW - timedelta(days=1), n_rows=5, reasons={"malformed": 2}), entry(2, path=None)]
    newest, oldest = newest_deliveries(build(spark, INGEST_LEDGER, rows), NOW)
    assert (newest.number, newest.is_new, newest.path, newest.reasons) == (2, True, "", {})
    assert newest.counts == dict.fromkeys(DELIVERY_COUNTS, 0)
    assert (oldest.is_new, oldest.ingested_at, oldest.counts["n_rows"]) == (False, "2026-11-21 03:15", 5)
    assert oldest.reasons == {"malformed": 2}


def test_the_last_revision_of_each_date_of_the_run_is_taken(spark):
    other = date(2026, 1, 31)
    rows = [
        manifest(AS_OF, 1),
        manifest(AS_OF, 2, [("has users", True, None)]),
        manifest(BEFORE, 1),
        manifest(other, 1),
    ]
    snapshots = newest_snapshots(build(spark, SNAPSHOTS, rows), [BEFORE, AS_OF])
    assert [s.snapshot_id for s in snapshots] == [f"{AS_OF}.r2", f"{BEFORE}.r1"]
    assert snapshots[0].checks == (Check("has users", True, ""),)


def test_runs_come_newest_first_and_may_lack_everything_else(spark):
    rows = [
        {"run_id": "a", "now": NOW - timedelta(days=1), "seconds": {"ingest": 1.5}},
        {"run_id": "b", "now": NOW},
    ]
    newest, oldest = newest_runs(build(spark, RUNS, rows))
    assert (newest.run_id, newest.now, newest.as_of_dates, newest.seconds) == (
        "b",
        "2026-11-22 03:15",
        (),
        {},
    )
    assert oldest.seconds == {"ingest": 1.5}


def test_empty_tables_give_nothing(spark):
    assert stage_counts(build(spark, STAGE_TOTALS, []), AS_OF) == ()
    assert rfm_counts(build(spark, USER_VALUE, []), AS_OF) == ()
    assert newest_deliveries(build(spark, INGEST_LEDGER, []), NOW) == ()
    assert newest_snapshots(build(spark, SNAPSHOTS, []), [AS_OF]) == ()
    assert newest_runs(build(spark, RUNS, [])) == ()


@pytest.mark.parametrize(("unit", "comment"), [("money", "Net spend [money]"), ("", "Net spend")])
def test_a_feature_is_described_as_its_column(unit, comment):
    column = Column("x", USER_VALUE.columns[0].type, "Net spend", unit=unit)
    table = Table("t", Kind.DERIVED, "", (column,), ("x",), WriteMode.APPEND)
    assert features_of(table, ["x"]) == (Feature("x", "Net spend", unit),)
    assert column.comment == comment

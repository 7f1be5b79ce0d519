"""Publication: first, unchanged, changed, and refused."""

from datetime import date

import pytest
from pyspark.sql import functions as F

from activation.publish.builders import TABLES, Desk, user
from lifestage.platform.errors import CheckError
from lifestage.platform.storage.memory import MemoryStore
from support.frames import assert_rows, build

NEXT = date(2026, 7, 1)
FIVE = [user(f"u{n}") for n in range(5)]
CHANGED = [user("u0", stage="growth"), *FIVE[1:]]


@pytest.fixture(scope="module")
def desk(spark_session):
    """r1 by the first run, nothing by the second, r2 by the third; then a day on which too many users are gone."""
    desk = Desk(MemoryStore(spark_session))
    desk.hold(FIVE)
    desk.publish("first")
    desk.publish("again")
    desk.hold(CHANGED, names=["user_stages"])
    desk.publish("changed")
    desk.hold([user(f"u{n}", NEXT) for n in range(3)], NEXT)
    with pytest.raises(CheckError, match=r"users did not vanish: 3 users, 5 in 2026-06-30\.r2"):
        desk.publish("refused", NEXT)
    return desk


def test_the_same_content_is_published_once_and_changed_content_as_the_next_revision(desk):
    actual = desk.manifests("snapshot_id", "revision", "run_id", "n_users")
    assert_rows(actual, [("2026-06-30.r1", 1, "first", 5), ("2026-06-30.r2", 2, "changed", 5)])


def test_each_revision_keeps_its_own_rows(desk):
    actual = desk.read("snapshot_users").where("user_id = 'u0'").select("snapshot_id", "stage")
    assert_rows(actual, [("2026-06-30.r1", "mature"), ("2026-06-30.r2", "growth")])


def test_a_refused_snapshot_leaves_neither_rows_nor_a_manifest(desk):
    assert_rows(desk.manifests("as_of").where(F.col("as_of") == NEXT), [])
    assert_rows(desk.read("snapshot_users").select("as_of").where(F.col("as_of") == NEXT), [])


def test_the_manifest_says_what_was_checked_and_found(desk):
    [row] = desk.manifests("checks", "counts", "config_hash", "erased").where("revision = 2").collect()
    assert all(check["passed"] for check in row["checks"])
    counts = {"rfm:-": 5, "segment:-": 5, "stage:growth": 1, "stage:mature": 4, "tier:-": 5}
    assert row["counts"] == counts
    assert (row["config_hash"], row["erased"]) == ("confighash", 0)


def test_an_older_date_is_checked_against_the_snapshot_before_it(desk):
    """Two users pass, because no snapshot is before it; later dates do not count."""
    early = date(2026, 1, 1)
    desk.hold([user(f"u{n}", early) for n in range(2)], early)
    desk.publish("backfill", early)
    assert_rows(desk.manifests("snapshot_id", "n_users").where("run_id = 'backfill'"), [("2026-01-01.r1", 2)])


def test_a_rebuilt_date_is_checked_against_its_earlier_snapshot(desk):
    """A later revision of a date is checked against the earlier revision, not against the month before."""
    before, day = date(2025, 1, 31), date(2025, 2, 28)
    few, many = ([user(f"u{n}", of) for n in range(size)] for size, of in ((2, before), (9, day)))
    desk.hold(few, before)
    desk.publish("month", before)
    desk.hold(many, day)
    desk.publish("grown", day)
    desk.hold(many[:5], day)
    with pytest.raises(CheckError, match=r"users did not vanish: 5 users, 9 in 2025-02-28\.r1"):
        desk.publish("shrunk", day)


def test_what_another_run_built_is_not_published(desk):
    with pytest.raises(
        CheckError,
        match="not built by run partial: user_features, user_stages, user_audiences: run the steps",
    ):
        desk.publish("partial", built=["user_value", "user_segments"])


def test_all_failed_checks_are_reported_at_once(desk):
    day = date(2026, 9, 1)
    desk.hold([user("u1", day), user("u1", day), user("u2", day, stage=None)], day)
    with pytest.raises(CheckError) as refusal:
        desk.publish("faulty", day)
    told = [line.partition(":")[0] for line in str(refusal.value).splitlines()[1:]]
    assert told == ["one row a user", "everyone has a stage"]


def test_a_part_of_the_value_index_without_data_stops_the_publication(desk):
    """A dimension, or one component of a dimension: its weight would lower every index."""
    day = date(2026, 10, 1)
    desk.hold([user(f"u{n}", day) for n in range(4)], day)
    fixed = {"as_of": day, "weight": 0.5, "p5": 0.0, "p95": 1.0, "n_users": 4}
    fixed |= dict.fromkeys(("dimensions_ci", "dimensions_cr", "components_ci", "components_cr"), 0.0)
    known = {"economic.spend": 4, "economic.cost_to_serve": 0, "social.advocacy": 0, "social.reviews": 0}
    rows = [
        {**fixed, **dict(zip(("dimension", "component"), name.split("."), strict=True)), "n_known": n}
        for name, n in known.items()
    ]
    scales = TABLES["value_scales"]
    desk.store.write(scales, build(desk.store.spark, scales, rows), {}, {"as_of": [day]})
    with pytest.raises(CheckError) as refusal:
        desk.publish("empty", day)
    [told] = str(refusal.value).splitlines()[1:]
    assert told.startswith("value dimensions have data: social has no data for any user: switch it off")
    assert "economic.cost_to_serve has no data for any user, and lowers every index by up to 0.5" in told
    assert "social.advocacy" not in told
    assert_rows(desk.manifests("as_of").where(F.col("as_of") == day), [])


def test_rows_of_a_killed_run_without_a_manifest_are_rewritten(desk):
    day = date(2026, 8, 1)
    desk.hold([user(f"u{n}", day) for n in range(4)], day)
    left = {"snapshot_id": "2026-08-01.r1", "as_of": day}
    rows = build(
        desk.store.spark, TABLES["snapshot_users"], [{**left, "user_id": name} for name in ("u0", "ghost")]
    )
    desk.store.write(TABLES["snapshot_users"], rows, {}, {"snapshot_id": [left["snapshot_id"]]})
    desk.publish("second", day)
    actual = (
        desk.read("snapshot_users").where(F.col("as_of") == day).select("snapshot_id", "user_id", "stage")
    )
    assert_rows(actual, [("2026-08-01.r1", f"u{n}", "mature") for n in range(4)])


def test_a_merge_under_a_new_id_does_not_hide_a_user_who_vanished(desk):
    before, day = date(2024, 1, 1), date(2024, 1, 2)
    was = ["old1", "old2"]
    desk.hold([user(each, before) for each in (*was, "x1", "x2", "x3")], before)
    desk.publish("two", before)
    moves = [
        {"identifier": name, "from_user_id": old, "to_user_id": "new", "journal_version": 1, "withheld": []}
        for name, old in zip(("c1", "c2"), was, strict=True)
    ]  # fmt: skip
    desk.store.write(
        TABLES["identity_changes"], build(desk.store.spark, TABLES["identity_changes"], moves), {}
    )
    mapped = [{"identifier": name, "user_id": "new", "withheld": []} for name in ("c1", "c2", "m")]
    desk.store.write(TABLES["identity_map"], build(desk.store.spark, TABLES["identity_map"], mapped), {})
    desk.hold([user(each, day) for each in ("new", "x1", "x2")], day)
    with pytest.raises(CheckError, match=r"3 users, 5 in 2024-01-01\.r1, 1 fewer by merging since"):
        desk.publish("one gone", day)

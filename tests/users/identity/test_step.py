"""The identity step from files to tables: evidence by date, users merged and split, each change with its cause."""

import pytest
from pyspark.sql import functions as F

from lifestage.platform.storage.store import Store
from support.frames import assert_frames, assert_rows
from support.projects import ALL_STEPS, MAIN, copy_of
from users.identity.world import LIMITS, STEPS, World


@pytest.fixture
def world(spark, tmp_path):
    return World(spark, tmp_path / "world")


def test_without_evidence_each_identifier_is_its_own_user(world):
    world.deliver_events(("1", 1, {"cookie": "c"}), ("2", 1, {"member": "m"}))
    world.run(1)
    assert world.groups() == {}
    assert world.test.read("link_days").count() == 0


def test_events_and_customer_records_link_identifiers(world):
    world.deliver_events(("1", 1, {"cookie": "c", "member": "m"}), ("2", 2, {"cookie": "d", "member": "m"}))
    world.deliver_profiles(("m", "+49777777", 2))
    world.run(2)
    assert set(world.groups().values()) == {("+49777777cdm", "active")}
    assert_rows(
        world.test.read("link_days").groupBy("source").agg(F.count("*"), F.sum("n")),
        [("web", 2, 2), ("profiles", 1, 1)],
    )


@pytest.mark.slow
def test_evidence_of_a_later_day_does_not_count_yet(world):
    world.deliver_events(("1", 1, {"cookie": "c", "member": "m"}), ("2", 3, {"cookie": "d", "member": "m"}))
    world.run(2, now="2026-03-03T23:00:00+00:00")
    assert world.groups() == {"c": ("cm", "active"), "m": ("cm", "active")}
    world.run(3, now="2026-03-04T23:00:00+00:00")
    assert world.groups()["d"] == ("cdm", "active")


@pytest.mark.slow
def test_a_merge_is_recorded_with_its_evidence(world):
    world.deliver_events(("1", 1, {"cookie": "c", "member": "m"}), ("2", 1, {"cookie": "d", "member": "n"}))
    world.run(1)
    world.deliver_events(("3", 2, {"cookie": "c", "member": "n"}))
    world.run(2)
    journal = world.test.read("identity_changes").collect()
    assert {row["cause"] for row in journal} == {"merged"}
    assert {frozenset({world.names[row["a"]], world.names[row["b"]]}) for row in journal} == {frozenset("cn")}
    older = {row["user_id"] for row in world.test.read("identity_map").collect()}
    assert {row["to_user_id"] for row in journal} == older


@pytest.mark.slow
def test_a_deleted_event_splits_the_user_it_had_merged(world):
    world.deliver_events(("1", 1, {"cookie": "c", "member": "m"}), ("2", 1, {"cookie": "c", "member": "n"}))
    world.run(1)
    assert world.groups()["m"] == ("cmn", "active")
    world.deliver_events(("2", 1, {}, 2, True))
    world.run(2)
    assert world.groups() == {"c": ("cm", "active"), "m": ("cm", "active")}
    causes = {
        world.names[row["identifier"]]: row["cause"] for row in world.test.read("identity_changes").collect()
    }
    assert causes["n"] == "split"


@pytest.mark.slow
def test_a_device_beyond_its_limit_is_withheld_and_restored_within_it(world):
    world.deliver_events(*[(str(n), n, {"device": "k", "member": f"m{n}"}) for n in (1, 2)])
    world.run(2)
    assert world.groups()["m1"] == ("km1m2", "active")
    world.deliver_events(("3", 3, {"device": "k", "member": "m3"}))
    world.run(3)
    assert world.groups()["k"] == ("k", "shared")
    assert world.groups()["m1"] == ("m1", "active")
    world.deliver_events(("3", 3, {}, 2, True))
    world.run(4)
    assert world.groups()["m1"] == ("km1m2", "active")
    world.deliver_events(("4", 3, {"device": "k", "member": "m3"}))
    world.run(4, now="2026-03-05T12:00:00+00:00")
    assert world.groups()["m1"] == ("m1", "active")
    causes = [
        (row["as_of"].day, row["cause"])
        for row in world.test.read("identity_changes").orderBy("journal_version").collect()
        if world.names[row["identifier"]] == "k"
    ]
    assert causes == [(3, "withheld"), (4, "restored"), (4, "withheld")]


@pytest.mark.slow
def test_an_earlier_date_has_the_users_of_that_date(world):
    world.deliver_events(("1", 1, {"cookie": "c", "member": "m"}), ("2", 3, {"cookie": "d", "member": "m"}))
    world.run(3)
    world.test.run("2026-03-02", now="2026-03-05T12:00:00+00:00", steps=STEPS)
    assert world.groups()["d"] == ("cdm", "active")
    assert world.groups_on(2) == {"c": ("cm", "active"), "m": ("cm", "active"), "d": ("d", "active")}


@pytest.mark.slow
def test_on_an_earlier_date_a_device_is_not_shared_yet(world):
    world.deliver_events(*[(str(n), n, {"device": "k", "member": f"m{n}"}) for n in (1, 2, 3)])
    world.run(3)
    assert world.groups()["k"] == ("k", "shared")
    world.test.run("2026-03-01,2026-03-02", now="2026-03-05T12:00:00+00:00", steps=STEPS)
    together = dict.fromkeys(("k", "m1", "m2"), ("km1m2", "active"))
    assert world.groups_on(2) == {**together, "m3": ("m3", "active")}
    assert world.groups_on(1) == {
        **dict.fromkeys(("k", "m1"), ("km1", "active")),
        **{name: (name, "active") for name in ("m2", "m3")},
    }


@pytest.mark.slow
def test_past_identities_are_removed_with_their_date(spark, tmp_path):
    world = World(spark, tmp_path, MAIN + LIMITS + "as_of: {keep: {days: 1, month_ends: false}}\n")
    world.deliver_events(("1", 1, {"cookie": "c", "member": "m"}), ("2", 3, {"cookie": "d", "member": "m"}))
    world.run(3)
    world.run(2, now="2026-03-05T12:00:00+00:00", steps=ALL_STEPS)
    assert world.groups_on(2)["d"] == ("d", "active")
    world.run(4)
    assert world.test.read("identity_past").isEmpty()


@pytest.mark.slow
def test_the_first_evidence_after_a_completed_run_is_recorded_as_a_merge(world):
    world.deliver_events(("1", 1, {"cookie": "c"}), ("2", 1, {"member": "m"}))
    world.run(1, steps=ALL_STEPS)
    world.deliver_events(("3", 2, {"cookie": "c", "member": "m"}))
    world.run(2)
    [moved] = world.test.read("identity_changes").collect()
    assert (moved["cause"], {world.names[moved[end]] for end in "ab"}) == ("merged", {"c", "m"})


def test_a_run_without_news_writes_nothing(world):
    world.deliver_events(("1", 1, {"cookie": "c", "member": "m"}))
    world.run(1)
    tables = [world.test.project.tables[name] for name in ("link_days", "links", "identity_map")]
    before = [world.test.project.store.version(table) for table in tables]
    world.run(1, now="2026-03-02T12:00:00+00:00")
    assert [world.test.project.store.version(table) for table in tables] == before


@pytest.mark.slow
def test_daily_runs_equal_one_full_run(world, tmp_path):
    world.deliver_events(*[(str(n), n, {"device": "k", "member": f"m{n}"}) for n in (1, 2)])
    world.deliver_profiles(("m1", "+49777777", 1))
    world.run(2)
    world.deliver_events(
        ("3", 3, {"device": "k", "member": "m3"}), ("1", 1, {"cookie": "c", "member": "m1"}, 2)
    )
    world.deliver_profiles(("m2", "+49888888", 3), ("m1", "+49999999", 3))
    world.run(3)
    world.deliver_events(("4", 2, {"cookie": "c", "member": "m2"}), ("3", 3, {}, 2, True))
    world.run(4)
    once = copy_of(world.test, tmp_path / "once")
    once.run("2026-03-04", steps=STEPS)
    for name in ("link_days", "links", "identity_map"):
        assert_frames(world.test.read(name), once.read(name))


def stop_after_commit(monkeypatch, table):
    """Makes runs stop right after a commit of a table."""
    exchange = Store.replace_all

    def then_stop(store, written, *arguments):
        result = exchange(store, written, *arguments)
        if written.name == table:
            raise RuntimeError("stopped")
        return result

    monkeypatch.setattr(Store, "replace_all", then_stop)


def test_a_decision_withdrawn_after_a_stopped_run_no_longer_holds(spark, tmp_path, monkeypatch):
    a, b = "a" * 32, "b" * 32
    allow = f"identity: {{allow: [{{a: {a}, b: {b}}}]}}\n"
    world = World(spark, tmp_path / "p", MAIN + allow)
    world.deliver_events(("1", 1, {"cookie": "c"}))
    stop_after_commit(monkeypatch, "identity_map")
    with pytest.raises(RuntimeError):
        world.run(1)
    assert world.test.read("identity_map").count() == 2
    monkeypatch.undo()
    store = world.test.project.store
    World(spark, tmp_path / "p", MAIN, store=store).run(1, now="2026-03-02T12:00:00+00:00")
    assert world.test.read("identity_map").isEmpty()

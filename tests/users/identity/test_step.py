"""Identity from files to tables: evidence replaced by date, persons joined and parted, each move with its reason."""

import pytest
from pyspark.sql import functions as F

from lifestage.platform.storage.store import Store
from support.frames import assert_frames, assert_rows
from support.projects import ALL_STEPS, MAIN, copy_of
from users.identity.world import LIMITS, STEPS, World


@pytest.fixture
def world(spark, tmp_path):
    return World(spark, tmp_path / "world")


def test_without_evidence_everybody_is_their_own(world):
    world.see(("1", 1, {"cookie": "c"}), ("2", 1, {"member": "m"}))
    world.run(1)
    assert world.who() == {}
    assert world.test.read("link_days").count() == 0


def test_a_login_joins_and_a_customer_record_joins_more(world):
    world.see(("1", 1, {"cookie": "c", "member": "m"}), ("2", 2, {"cookie": "d", "member": "m"}))
    world.know(("m", "+49777777", 2))
    world.run(2)
    assert set(world.who().values()) == {("+49777777cdm", "active")}
    assert_rows(
        world.test.read("link_days").groupBy("source").agg(F.count("*"), F.sum("n")),
        [("web", 2, 2), ("profiles", 1, 1)],
    )


@pytest.mark.slow
def test_evidence_of_a_later_day_does_not_count_yet(world):
    world.see(("1", 1, {"cookie": "c", "member": "m"}), ("2", 3, {"cookie": "d", "member": "m"}))
    world.run(2, now="2026-03-03T23:00:00+00:00")
    assert world.who() == {"c": ("cm", "active"), "m": ("cm", "active")}
    world.run(3, now="2026-03-04T23:00:00+00:00")
    assert world.who()["d"] == ("cdm", "active")


@pytest.mark.slow
def test_who_is_joined_is_in_the_journal_with_the_evidence(world):
    world.see(("1", 1, {"cookie": "c", "member": "m"}), ("2", 1, {"cookie": "d", "member": "n"}))
    world.run(1)
    world.see(("3", 2, {"cookie": "c", "member": "n"}))
    world.run(2)
    journal = world.test.read("identity_changes").collect()
    assert {row["cause"] for row in journal} == {"merged"}
    assert {frozenset({world.names[row["a"]], world.names[row["b"]]}) for row in journal} == {frozenset("cn")}
    older = {row["user_id"] for row in world.test.read("identity_map").collect()}
    assert {row["to_user_id"] for row in journal} == older


def test_a_deleted_event_parts_whom_it_had_joined(world):
    world.see(("1", 1, {"cookie": "c", "member": "m"}), ("2", 1, {"cookie": "c", "member": "n"}))
    world.run(1)
    assert world.who()["m"] == ("cmn", "active")
    world.see(("2", 1, {}, 2, True))
    world.run(2)
    assert world.who() == {"c": ("cm", "active"), "m": ("cm", "active")}
    causes = {
        world.names[row["identifier"]]: row["cause"] for row in world.test.read("identity_changes").collect()
    }
    assert causes["n"] == "split"


def test_a_device_that_crosses_its_limit_is_withdrawn_and_comes_back_below_it(world):
    world.see(*[(str(n), n, {"device": "k", "member": f"m{n}"}) for n in (1, 2)])
    world.run(2)
    assert world.who()["m1"] == ("km1m2", "active")
    world.see(("3", 3, {"device": "k", "member": "m3"}))
    world.run(3)
    assert world.who()["k"] == ("k", "shared")
    assert world.who()["m1"] == ("m1", "active")
    world.see(("3", 3, {}, 2, True))
    world.run(4)
    assert world.who()["m1"] == ("km1m2", "active")
    world.see(("4", 3, {"device": "k", "member": "m3"}))
    world.run(4, now="2026-03-05T12:00:00+00:00")
    assert world.who()["m1"] == ("m1", "active")
    causes = [
        (row["as_of"].day, row["cause"])
        for row in world.test.read("identity_changes").orderBy("journal_version").collect()
        if world.names[row["identifier"]] == "k"
    ]
    assert causes == [(3, "withheld"), (4, "restored"), (4, "withheld")]


@pytest.mark.slow
def test_an_earlier_date_has_the_persons_of_then(world):
    world.see(("1", 1, {"cookie": "c", "member": "m"}), ("2", 3, {"cookie": "d", "member": "m"}))
    world.run(3)
    world.test.run("2026-03-02", now="2026-03-05T12:00:00+00:00", steps=STEPS)
    assert world.who()["d"] == ("cdm", "active")
    assert world.who_on(2) == {"c": ("cm", "active"), "m": ("cm", "active"), "d": ("d", "active")}


@pytest.mark.slow
def test_an_earlier_date_has_a_device_that_was_not_shared_yet(world):
    world.see(*[(str(n), n, {"device": "k", "member": f"m{n}"}) for n in (1, 2, 3)])
    world.run(3)
    assert world.who()["k"] == ("k", "shared")
    world.test.run("2026-03-01,2026-03-02", now="2026-03-05T12:00:00+00:00", steps=STEPS)
    together = dict.fromkeys(("k", "m1", "m2"), ("km1m2", "active"))
    assert world.who_on(2) == {**together, "m3": ("m3", "active")}
    assert world.who_on(1) == {
        **dict.fromkeys(("k", "m1"), ("km1", "active")),
        **{name: (name, "active") for name in ("m2", "m3")},
    }


@pytest.mark.slow
def test_who_was_who_on_a_date_goes_with_the_date(spark, tmp_path):
    world = World(spark, tmp_path, MAIN + LIMITS + "as_of: {keep: {days: 1, month_ends: false}}\n")
    world.see(("1", 1, {"cookie": "c", "member": "m"}), ("2", 3, {"cookie": "d", "member": "m"}))
    world.run(3)
    world.run(2, now="2026-03-05T12:00:00+00:00", steps=ALL_STEPS)
    assert world.who_on(2)["d"] == ("d", "active")
    world.run(4)
    assert world.test.read("identity_past").isEmpty()


@pytest.mark.slow
def test_the_first_evidence_after_others_were_built_says_who_merged(world):
    world.see(("1", 1, {"cookie": "c"}), ("2", 1, {"member": "m"}))
    world.run(1, steps=ALL_STEPS)
    world.see(("3", 2, {"cookie": "c", "member": "m"}))
    world.run(2)
    [moved] = world.test.read("identity_changes").collect()
    assert (moved["cause"], {world.names[moved[end]] for end in "ab"}) == ("merged", {"c", "m"})


def test_nothing_new_writes_nothing(world):
    world.see(("1", 1, {"cookie": "c", "member": "m"}))
    world.run(1)
    tables = [world.test.project.tables[name] for name in ("link_days", "links", "identity_map")]
    before = [world.test.project.store.version(table) for table in tables]
    world.run(1, now="2026-03-02T12:00:00+00:00")
    assert [world.test.project.store.version(table) for table in tables] == before


@pytest.mark.slow
def test_day_by_day_gives_what_everything_at_once_gives(world, tmp_path):
    world.see(*[(str(n), n, {"device": "k", "member": f"m{n}"}) for n in (1, 2)])
    world.know(("m1", "+49777777", 1))
    world.run(2)
    world.see(("3", 3, {"device": "k", "member": "m3"}), ("1", 1, {"cookie": "c", "member": "m1"}, 2))
    world.know(("m2", "+49888888", 3), ("m1", "+49999999", 3))
    world.run(3)
    world.see(("4", 2, {"cookie": "c", "member": "m2"}), ("3", 3, {}, 2, True))
    world.run(4)
    once = copy_of(world.test, tmp_path / "once")
    once.run("2026-03-04", steps=STEPS)
    for name in ("link_days", "links", "identity_map"):
        assert_frames(world.test.read(name), once.read(name))


def broken_off(monkeypatch, table):
    """Runs end right after a commit of a table."""
    exchange = Store.replace_all

    def then_stop(store, written, *arguments):
        result = exchange(store, written, *arguments)
        if written.name == table:
            raise RuntimeError("broke off")
        return result

    monkeypatch.setattr(Store, "replace_all", then_stop)


def test_a_decision_that_is_taken_back_after_a_run_broke_off_holds_no_more(spark, tmp_path, monkeypatch):
    a, b = "a" * 32, "b" * 32
    allow = f"identity: {{allow: [{{a: {a}, b: {b}}}]}}\n"
    world = World(spark, tmp_path / "p", MAIN + allow)
    world.see(("1", 1, {"cookie": "c"}))
    broken_off(monkeypatch, "identity_map")
    with pytest.raises(RuntimeError):
        world.run(1)
    assert world.test.read("identity_map").count() == 2
    monkeypatch.undo()
    World(spark, tmp_path / "p", MAIN).run(1, now="2026-03-02T12:00:00+00:00")
    assert world.test.read("identity_map").isEmpty()

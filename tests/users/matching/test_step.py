"""Record matching from files to users: matches are added, changed and removed, and count as evidence."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from lifestage.platform.errors import ConfigError, NoDataError
from lifestage.platform.findings import Level
from lifestage.platform.run import Secrets
from lifestage.services.doctor import examine
from support.frames import assert_frames, build
from support.projects import MAIN, TestProject, copy_of, delta_store
from users.identity.world import STEPS
from users.matching.world import MATCHING, TYPES, Town

ANNA = "Anna/Schmidt/1980-05-17/Berlin"
PAUL = "Paul/Weber/1975-01-30/Hamburg"
IDENTITY = ("link_days", "links", "identity_map")


@pytest.fixture
def town(spark, tmp_path):
    return Town(spark, tmp_path / "town")


@pytest.mark.slow
def test_links_are_added_rescored_and_removed(town, tmp_path):
    town.deliver_records("member", ("m-anna", ANNA, 1), ("m-paul", PAUL, 1))
    town.deliver_records("card", ("c-anna", "Ana/Schmidt/1980-05-17/Berlin", 2))
    town.night(2)
    ((one, other, before, day),) = town.links()
    assert (one, other, day) == ("c-anna", "m-anna", 2)
    assert town.linked_users() == ["c-anna m-anna"]

    # The town is removed, so the score falls; the form of another card arrives.
    town.deliver_records("card", ("c-anna", "Ana/Schmidt/1980-05-17/", 3), ("c-paul", PAUL, 3))
    town.night(3)
    assert [(one, other, day) for one, other, _, day in town.links()] == [
        ("c-anna", "m-anna", 3),
        ("c-paul", "m-paul", 3),
    ]
    assert town.links()[0][2] <= before
    assert town.linked_users() == ["c-anna m-anna", "c-paul m-paul"]

    # The form turns out to be of somebody else.
    town.deliver_records("card", ("c-anna", "Jutta/Kowalski/1960-02-02/Kiel", 4))
    town.night(4)
    assert town.linked_users() == ["c-paul m-paul"]

    once = copy_of(town.test, tmp_path / "once")
    once.run("2026-03-04", steps=("reference",))
    Town.match(_on(town, once))
    once.run("2026-03-04", steps=STEPS)
    for name in ("matches", *IDENTITY):
        assert_frames(town.test.read(name), once.read(name))


@pytest.mark.slow
def test_a_changed_score_updates_the_evidence(town):
    town.deliver_records("member", ("m-anna", ANNA, 2))
    town.deliver_records("card", ("c-anna", ANNA, 1))
    town.night(2)
    matches = town.test.read("matches").withColumn("score", F.lit(0.995))
    table = town.test.project.tables["matches"]
    town.test.project.store.replace_all(table, matches.localCheckpoint(), {"run_id": "by hand"})
    town.run(2, now="2026-03-03T12:00:00+00:00")
    assert town.links() == [("c-anna", "m-anna", 0.995, 2)]
    assert town.linked_users() == ["c-anna m-anna"]
    assert town.test.read("links").count() == 1


def test_a_run_without_news_writes_nothing(town):
    town.deliver_records("member", ("m-anna", ANNA, 1))
    town.deliver_records("card", ("c-anna", ANNA, 1))
    town.night(1)
    store, tables = town.test.project.store, town.test.project.tables
    before = [store.version(tables[name]) for name in IDENTITY]
    town.run(1, now="2026-03-02T12:00:00+00:00")
    assert [store.version(tables[name]) for name in IDENTITY] == before


def test_limits_apply_to_matches(town):
    """A card that matches two members exceeds its limit, so it is withheld."""
    town.deliver_records("member", ("m-anna", ANNA, 1), ("m-twice", ANNA, 1))
    town.deliver_records("card", ("c-anna", ANNA, 1))
    town.deliver_visits(("c-anna", "+491111111", 1))
    town.night(1)
    assert len(town.links()) == 3
    rows = town.test.read("identity_map").where(F.size("withheld") > 0).collect()
    assert {town.names[row["identifier"]]: row["withheld"] for row in rows} == {"c-anna": ["member > 1"]}
    assert town.linked_users() == ["m-anna m-twice"]


@pytest.mark.slow
def test_without_the_section_the_next_run_removes_the_links(spark, town, tmp_path):
    town.deliver_records("member", ("m-anna", ANNA, 1))
    town.deliver_records("card", ("c-anna", ANNA, 1))
    town.night(1)
    assert town.linked_users() == ["c-anna m-anna"]
    store = town.test.project.store
    plain = Town(spark, tmp_path / "town", MAIN + TYPES, store)
    plain.run(1, now="2026-03-02T12:00:00+00:00")
    assert plain.test.read("link_days").isEmpty()
    assert plain.test.read("identity_map").isEmpty()
    again = Town(spark, tmp_path / "town", MAIN + TYPES + MATCHING, store)
    again.run(1, now="2026-03-03T12:00:00+00:00")
    assert again.test.read("link_days").count() == 1


@pytest.mark.slow
def test_a_storage_root_without_the_score_column_is_upgraded(spark, tmp_path):
    town = Town(spark, tmp_path / "town", store=delta_store(spark, tmp_path / "town"))
    table = town.test.project.tables["link_days"]
    before = replace(table, columns=tuple(column for column in table.columns if column.name != "score"))
    rows = build(spark, before, [{"a": "some", "b": "thing"}])
    town.test.project.store.replace_all(before, rows, {"delivery_no": 0, "meaning": "of before"})
    town.deliver_records("card", ("c-anna", ANNA, 2))
    town.deliver_records("member", ("m-anna", ANNA, 2))
    town.night(2)
    assert town.linked_users() == ["c-anna m-anna"]
    assert [one for one, *_ in town.links()] == ["c-anna"]
    assert town.test.read("link_days").count() == 1


@pytest.mark.slow
def test_sealed_values_are_in_no_file_and_another_key_is_an_error(spark, tmp_path):
    town = Town(spark, tmp_path / "town", store=delta_store(spark, tmp_path / "town"))
    town.deliver_records("member", ("m-anna", ANNA, 1), ("m-again", ANNA, 1))
    town.night(1)
    files = [file for file in (town.test.folder / "tables").rglob("*") if file.is_file()]
    tables = [str(pq.read_table(file).to_pylist()) for file in files if file.suffix == ".parquet"]
    data = "".join([*tables, *[file.read_bytes().decode("latin-1") for file in files]]).lower()
    assert "berlin" in data
    assert [word for word in ("anna", "schmidt", "1980-05-17", "19800517") if word in data] == []
    versions = town.test.read("members")
    assert versions.select("last_name").distinct().count() == 1
    secrets = Secrets(town.key, b"o" * 32)
    other = TestProject(town.test.folder, replace(town.test.project, secrets=secrets))
    with pytest.raises(
        ConfigError, match="the quarantine key is not the one that first_name was sealed with"
    ):
        Town.match(_on(town, other))


def test_tables_that_were_never_loaded_are_left_out_unless_there_is_no_other(town, caplog):
    with pytest.raises(NoDataError, match="never loaded: members, cards"):
        town.match()
    assert town.test.project.store.version(town.test.project.tables["matches"]) is None
    assert NoDataError.exit_code == 1

    town.deliver_records("member", ("m-anna", ANNA, 1), ("m-again", ANNA, 1))
    town.run(1, steps=("reference",))
    assert town.match().n_links == 1
    assert "cards was never loaded: the others are compared without it" in caplog.text


def test_doctor_reports_links_of_other_settings(spark, town, tmp_path):
    def match_level(each):
        findings = examine(each.test.project, datetime(2026, 6, 1, tzinfo=UTC), is_fast=True)
        return next(found.level for found in findings if found.subject == "matches")

    town.deliver_records("member", ("m-anna", ANNA, 1))
    town.deliver_records("card", ("c-anna", ANNA, 1))
    town.run(1, steps=("reference",))
    town.match()
    assert match_level(town) is Level.OK
    store = town.test.project.store
    other = Town(spark, tmp_path / "town", MAIN + TYPES + MATCHING + "  threshold: 0.9\n", store)
    assert match_level(other) is Level.NOTE


def _on(town, test):
    """The same town on another storage root."""
    other = object.__new__(Town)
    other.__dict__ = {**town.__dict__, "test": test}
    return other

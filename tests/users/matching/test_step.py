"""From customer files to persons: matches come, change, go, and are evidence like any other."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from lifestage.platform.errors import ConfigError
from lifestage.platform.findings import Level
from lifestage.platform.job import Secrets
from lifestage.services.doctor import examine
from support.frames import assert_frames, build
from support.projects import MAIN, TestProject, copy_of
from users.identity.world import STEPS
from users.matching.world import MATCHING, TYPES, Town

ANNA = "Anna/Schmidt/1980-05-17/Berlin"
PAUL = "Paul/Weber/1975-01-30/Hamburg"
IDENTITY = ("link_days", "links", "identity_map")


@pytest.fixture
def town(spark, tmp_path):
    return Town(spark, tmp_path / "town")


@pytest.mark.slow
def test_matches_come_score_anew_and_go(town, tmp_path):
    town.know("member", ("m-anna", ANNA, 1), ("m-paul", PAUL, 1))
    town.know("card", ("c-anna", "Ana/Schmidt/1980-05-17/Berlin", 2))
    town.night(2)
    ((one, other, before, day),) = town.links()
    assert (one, other, day) == ("c-anna", "m-anna", 2)
    assert town.persons() == ["c-anna m-anna"]

    # The town is gone, and with it a part of what spoke for it; a paper form of another comes.
    town.know("card", ("c-anna", "Ana/Schmidt/1980-05-17/", 3), ("c-paul", PAUL, 3))
    town.night(3)
    assert [(one, other, day) for one, other, _, day in town.links()] == [
        ("c-anna", "m-anna", 3),
        ("c-paul", "m-paul", 3),
    ]
    assert town.links()[0][2] <= before
    assert town.persons() == ["c-anna m-anna", "c-paul m-paul"]

    # It was somebody else.
    town.know("card", ("c-anna", "Jutta/Kowalski/1960-02-02/Kiel", 4))
    town.night(4)
    assert town.persons() == ["c-paul m-paul"]

    once = copy_of(town.test, tmp_path / "once")
    once.run("2026-03-04", steps=("reference",))
    Town.match(_on(town, once))
    once.run("2026-03-04", steps=STEPS)
    for name in ("matches", *IDENTITY):
        assert_frames(town.test.read(name), once.read(name))


def test_a_score_that_changes_alone_is_taken_in(town):
    town.know("member", ("m-anna", ANNA, 2))
    town.know("card", ("c-anna", ANNA, 1))
    town.night(2)
    matches = town.test.read("matches").withColumn("score", F.lit(0.995))
    table = town.test.project.tables["matches"]
    town.test.project.store.replace_all(table, matches.localCheckpoint(), {"run_id": "by hand"})
    town.run(2, now="2026-03-03T12:00:00+00:00")
    assert town.links() == [("c-anna", "m-anna", 0.995, 2)]
    assert town.persons() == ["c-anna m-anna"]
    assert town.test.read("links").count() == 1


def test_nothing_new_writes_nothing(town):
    town.know("member", ("m-anna", ANNA, 1))
    town.know("card", ("c-anna", ANNA, 1))
    town.night(1)
    store, tables = town.test.project.store, town.test.project.tables
    before = [store.version(tables[name]) for name in IDENTITY]
    town.run(1, now="2026-03-02T12:00:00+00:00")
    assert [store.version(tables[name]) for name in IDENTITY] == before


def test_limits_and_other_evidence_hold_for_matches_too(town):
    """A card that matches two members is theirs both, and nobody's in particular."""
    town.know("member", ("m-anna", ANNA, 1), ("m-twice", ANNA, 1))
    town.know("card", ("c-anna", ANNA, 1))
    town.see(("c-anna", "+491111111", 1))
    town.night(1)
    assert len(town.links()) == 3
    rows = town.test.read("identity_map").where(F.size("withheld") > 0).collect()
    assert {town.names[row["identifier"]]: row["withheld"] for row in rows} == {"c-anna": ["member > 1"]}
    assert town.persons() == ["m-anna m-twice"]


@pytest.mark.slow
def test_without_the_section_links_go_at_the_next_run(spark, town, tmp_path):
    town.know("member", ("m-anna", ANNA, 1))
    town.know("card", ("c-anna", ANNA, 1))
    town.night(1)
    assert town.persons() == ["c-anna m-anna"]
    plain = Town(spark, tmp_path / "town", MAIN + TYPES)
    plain.run(1, now="2026-03-02T12:00:00+00:00")
    assert plain.test.read("link_days").isEmpty()
    assert plain.test.read("identity_map").isEmpty()
    again = Town(spark, tmp_path / "town", MAIN + TYPES + MATCHING)
    again.run(1, now="2026-03-03T12:00:00+00:00")
    assert again.test.read("link_days").count() == 1


def test_a_root_from_before_there_were_scores_goes_on(town, spark):
    table = town.test.project.tables["link_days"]
    before = replace(table, columns=tuple(column for column in table.columns if column.name != "score"))
    rows = build(spark, before, [{"a": "some", "b": "thing"}])
    town.test.project.store.replace_all(before, rows, {"delivery_no": 0, "meaning": "of before"})
    town.know("card", ("c-anna", ANNA, 2))
    town.know("member", ("m-anna", ANNA, 2))
    town.night(2)
    assert town.persons() == ["c-anna m-anna"]
    assert [one for one, *_ in town.links()] == ["c-anna"]
    assert town.test.read("link_days").count() == 1


def test_no_file_of_the_root_holds_what_is_sealed_and_another_key_is_told(town):
    town.know("member", ("m-anna", ANNA, 1), ("m-again", ANNA, 1))
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


def test_of_empty_tables_there_is_no_match(town):
    found = town.match()
    assert (found.n_records, found.n_pairs, found.n_links, found.bands) == (0, 0, 0, {})
    assert town.test.read("matches").isEmpty()


def test_links_of_other_settings_are_told(spark, town, tmp_path):
    def told(each):
        findings = examine(each.test.project, datetime(2026, 6, 1, tzinfo=UTC), is_fast=True)
        return next(found.level for found in findings if found.subject == "matches")

    town.match()
    assert told(town) is Level.OK
    other = Town(spark, tmp_path / "town", MAIN + TYPES + MATCHING + "  threshold: 0.9\n")
    assert told(other) is Level.NOTE


def _on(town, test):
    """The same town on another storage root."""
    other = object.__new__(Town)
    other.__dict__ = {**town.__dict__, "test": test}
    return other

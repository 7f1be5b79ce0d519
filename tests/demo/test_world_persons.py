"""Persons of a made-up world against those that it was made of, and what follows from taking the one for the other."""

import csv
import shutil
from collections import Counter
from datetime import date
from math import comb
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from lifestage.project.opening import open_project
from lifestage.simulate.simulation import simulate
from lifestage.simulate.world import make_world
from lifestage.users.resolution import user_id_of
from support.projects import TestProject
from support.pseudonyms import pseudonym

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# Ninety days, so that the segment model is trained on the last.
WORLD = make_world(1500, 5, 90, 20.0)
LAST, NOW = date(2026, 3, 31), "2026-04-07T06:00:00+02:00"
BUILT = ("reference", "ingest", "identity", "activity", "profiles", "features", "stages", "value", "segments")
AGAIN = BUILT[5:]
RESULTS = {"user_stages": "stage", "user_value": "rfm_name", "user_segments": "segment_id"}


def project_in(spark, folder):
    shutil.copytree(ROOT / "conf" / "world", folder, dirs_exist_ok=True)
    main = folder / "world.yaml"
    main.write_text(main.read_text(encoding="utf-8").replace("out/world", str(folder)), encoding="utf-8")
    return TestProject(folder, open_project(main, spark))


@pytest.fixture(scope="module")
def world(spark_session, tmp_path_factory):
    folder = tmp_path_factory.mktemp("persons")
    simulate(WORLD, folder / "landing")
    spark_session.conf.set("spark.sql.codegen.wholeStage", "false")
    project = project_in(spark_session, folder)
    project.run(str(LAST), NOW, BUILT)
    yield project
    spark_session.conf.unset("spark.sql.codegen.wholeStage")


@pytest.fixture(scope="module")
def truth(world):
    """Pseudonym to the person whose it is; without those that several have."""
    key = world.project.secrets.pseudonym_key
    with (world.folder / "landing" / "truth" / "identifiers.csv").open(encoding="utf-8") as file:
        rows = [*csv.DictReader(file)]
    owners = Counter((row["type"], row["value"]) for row in rows)
    return {
        pseudonym(key, row["type"], row["value"]): row["person"]
        for row in rows
        if owners[row["type"], row["value"]] == 1 and row["is_shared"] == "false"
    }


def n_pairs(groups):
    return sum(comb(n, 2) for n in Counter(groups).values())


def test_joined_identifiers_are_of_one_person_and_nearly_all_are_found(world, truth):
    """Pairs of identifiers that any evidence names; what is withheld, or whose several are, is left out."""
    rows = world.read("identity_map").where("status = 'active' AND size(withheld) = 0").collect()
    placed = [(row["user_id"], truth[row["identifier"]]) for row in rows if row["identifier"] in truth]
    right, joined, true = n_pairs(placed), n_pairs(u for u, _ in placed), n_pairs(p for _, p in placed)
    assert len(placed) > 2_000
    assert right / joined >= 0.999, (right, joined, true)
    assert right / true >= 0.98, (right, joined, true)


def test_a_kiosk_is_withheld_with_its_reason(world):
    key = world.project.secrets.pseudonym_key
    kiosks = [pseudonym(key, "device", f"dv-kiosk-{n:04}") for n in range(100)]
    rows = world.read("identity_map").where(F.col("identifier").isin(*kiosks)).collect()
    assert rows
    assert {(row["status"], tuple(row["withheld"])) for row in rows} == {("shared", ("member > 1",))}
    suspicious = world.read("identity_suspicions").where(F.col("identifier").isin(*kiosks))
    assert {row["kind"] for row in suspicious.collect()} <= {"placeholder", "shared"}
    assert suspicious.count() > len(rows) / 2


@pytest.fixture(scope="module")
def true_world(spark_session, world, truth, tmp_path_factory):
    """The same events, with the persons that the world was made of, and the model that is there."""
    folder = tmp_path_factory.mktemp("true") / "p"
    project = project_in(spark_session, folder)
    shutil.copytree(world.folder / "tables", folder / "tables")
    store, table = project.project.store, project.project.tables["identity_map"]
    owners = spark_session.createDataFrame([*truth.items()], "identifier string, person string")
    # A cookie that is on no channel together with anything else is nobody who is known, here and there. Whose an identifier is
    # that several have is what the evidence says.
    named = world.read("identity_map").join(owners, on="identifier", how="left")
    true = named.withColumn("user_id", F.coalesce(user_id_of(F.col("person")), "user_id"))
    store.replace_all(table, true.select(*table.names), {})
    project.run(str(LAST), NOW, AGAIN, run_id="true")
    return project


def results(project):
    """Identifiers of a user on that day to its stage, RFM name and segment."""
    subjects = project.read("activity_days").select(F.col("subject").alias("identifier")).distinct()
    mapped = subjects.join(project.read("identity_map"), on="identifier", how="left")
    users = mapped.groupBy(F.coalesce("user_id", user_id_of(F.col("identifier"))).alias("user_id")).agg(
        F.sort_array(F.collect_set("identifier")).alias("identifiers")
    )
    for name, column in RESULTS.items():
        of_date = project.read(name).where(F.col("as_of") == F.lit(LAST)).select("user_id", column)
        users = users.join(of_date, on="user_id", how="left")
    return {
        tuple(row["identifiers"]): tuple(row[column] for column in RESULTS.values())
        for row in users.where("stage IS NOT NULL").collect()
    }


def test_stages_scores_and_segments_are_those_of_the_true_persons(world, true_world):
    found, true = results(world), results(true_world)
    same_people = found.keys() & true.keys()
    left_out = 1 - len(same_people) / len(true)
    equal = sum(found[people] == true[people] for people in same_people)
    assert left_out < 0.05, f"{left_out:.2%} of true persons are others here"
    assert equal / len(same_people) >= 0.99, (equal, len(same_people))

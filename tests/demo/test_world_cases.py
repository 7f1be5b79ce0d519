"""What growth teams tell of: features and audiences find it in the world where it is planted, and not in the one without."""

import csv
import shutil
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from lifestage.activation.audiences.config import AudiencesConfig
from lifestage.project.opening import open_project
from lifestage.simulate.simulation import simulate
from lifestage.simulate.world import Case, make_world
from support.projects import TestProject
from support.pseudonyms import pseudonym
from support.run_alone import run_alone

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LAST, NOW = date(2026, 6, 29), "2026-07-06T06:00:00+02:00"
STEPS = ("reference", "ingest", "identity", "activity", "profiles", "features", "stages")
PLANTED = (Case.PRICE_TYPES, Case.LATE_NIGHT_COOKS, Case.LEFT_AT_SEATS, Case.MISJUDGED_CYCLE)
# What is measured of all users, an audience by its name in braces: at least so much where the case is planted, and at most
# so much where it is not.
FOUND = {
    "the cheap": ("count_if({bargain_hunters}) / count_if(n_purchases_365d >= 4)", 0.15, 0.02),
    "the dear": (
        "count_if(({quality_seeking}) AND n_purchases_365d >= 4) / count_if(n_purchases_365d >= 4)",
        0.18,
        0.15,
    ),
    "hours": ("sum(n_night_ingredients_90d) / sum(n_night_purchases_90d)", 0.09, 0.075),
    "hesitation": ("sum(seats_left_90d) / sum(n_seat_choices_90d)", 0.4, 0.25),
    "use cycle": ("count_if({stocked_up}) / count_if(occasions_all >= 1)", 0.004, 0.002),
    "only the cheap": (
        "count_if({bargain_hunters} AND kind = 'price') / count_if({bargain_hunters})",
        0.9,
        0,
    ),
    "only who misjudge": ("count_if({stocked_up} AND misjudges_cycle) / count_if({stocked_up})", 0.6, 0),
}


@pytest.fixture(scope="module", params=[(), PLANTED], ids=["planted", "null"])
def world(request, spark_session, tmp_path_factory):
    """Users at the end of a world, a function that measures them, and whether the cases are planted."""
    folder = tmp_path_factory.mktemp("cases")
    simulate(make_world(4_000, 11, 180, 40.0, request.param), folder / "landing")
    project = built(spark_session, folder)
    rules = {name: rule.when for name, rule in project.project.config.of(AudiencesConfig).audiences.items()}
    users = users_of(spark_session, project).localCheckpoint()
    return lambda sql: users.select(F.expr(sql.format(**rules))).first()[0], not request.param


def built(spark, folder):
    shutil.copytree(ROOT / "conf" / "world", folder, dirs_exist_ok=True)
    main = folder / "world.yaml"
    main.write_text(main.read_text(encoding="utf-8").replace("out/world", str(folder)), encoding="utf-8")
    run_alone(main, {"as_of": str(LAST), "now": NOW, "steps": STEPS})
    return TestProject(folder, open_project(main, spark))


def users_of(spark, project):
    """Features and stage of each user, with what is true of the person; several identifiers of one are of one person."""
    key = project.project.secrets.pseudonym_key
    names = [
        (pseudonym(key, row["type"], row["value"]), row["person"]) for row in truth(project, "identifiers")
    ]
    people = [
        (row["person"], row["kind"], row["misjudges_cycle"] == "true") for row in truth(project, "people")
    ]
    mapped = project.read("identity_map").where("status = 'active'")
    persons = mapped.join(spark.createDataFrame(names, "identifier string, person string"), on="identifier")
    stages = project.read("user_stages").select("user_id", "as_of", "stage")
    return (
        project.read("user_features")
        .where(F.col("as_of") == F.lit(LAST))
        .join(stages, on=["user_id", "as_of"])
        .join(persons.groupBy("user_id").agg(F.min("person").alias("person")), on="user_id")
        .join(
            spark.createDataFrame(people, "person string, kind string, misjudges_cycle boolean"), on="person"
        )
    )


def truth(project, table):
    with (project.folder / "landing" / "truth" / f"{table}.csv").open(encoding="utf-8") as file:
        return [*csv.DictReader(file)]


@pytest.mark.parametrize("case", FOUND)
def test_what_is_planted_is_found_and_what_is_not_is_not(world, case):
    measure, is_planted = world
    sql, at_least, at_most = FOUND[case]
    found = measure(sql)
    assert found >= at_least if is_planted else found <= at_most

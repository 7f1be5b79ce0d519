"""What growth teams tell of: features and audiences find it in the world where it is planted, and not in the one without."""

import csv
import shutil
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from lifestage import runner
from lifestage.simulate.simulation import simulate
from lifestage.simulate.world import Case, world_of
from support.projects import TestProject
from support.pseudonyms import pseudonym

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LAST, NOW = date(2026, 6, 29), "2026-07-06T06:00:00+02:00"
STEPS = ("reference", "ingest", "identity", "activity", "profiles", "features", "stages")
PLANTED = (Case.PRICE_TYPES, Case.LATE_NIGHT_COOKS, Case.LEFT_AT_SEATS, Case.MISJUDGED_CYCLE)


class Users:
    """Users of a world at its end, with their features and what is true of the person."""

    def __init__(self, spark, folder, without):
        shutil.copytree(ROOT / "conf" / "world", folder, dirs_exist_ok=True)
        main = folder / "world.yaml"
        main.write_text(main.read_text(encoding="utf-8").replace("out/world", str(folder)), encoding="utf-8")
        simulate(world_of(1_500, 11, 180, 40.0, without), folder / "landing")
        project = TestProject(folder, runner.open_project(main, spark))
        project.run(str(LAST), NOW, STEPS)
        key = project.project.secrets.pseudonym_key
        owners = [
            (pseudonym(key, row["type"], row["value"]), row["person"]) for row in truth(folder, "identifiers")
        ]
        people = spark.createDataFrame(truth(folder, "people")).select(
            "person", "kind", "hours", "misjudges_cycle"
        )
        named = spark.createDataFrame(owners, "identifier string, person string")
        # Several identifiers of one user are of one person.
        persons = (
            project.read("identity_map")
            .where("status = 'active'")
            .join(named, on="identifier")
            .groupBy("user_id")
            .agg(F.min("person").alias("person"))
        )
        self.rules = {name: rule.when for name, rule in project.project.config.audiences.audiences.items()}
        stages = project.read("user_stages").select("user_id", "as_of", "stage")
        features = project.read("user_features").where(F.col("as_of") == F.lit(LAST))
        joined = (
            features.join(stages, on=["user_id", "as_of"])
            .join(persons, on="user_id")
            .join(people, on="person")
        )
        self.frame = joined.localCheckpoint()

    def share(self, condition, of="true"):
        """Users for whom a condition holds, as a share of those for whom another does; and how many these are."""
        among = self.frame.where(of)
        n = among.count()
        return among.where(condition).count() / n, n

    def total(self, sql):
        return self.frame.select(F.expr(sql)).collect()[0][0]


def truth(folder, table):
    with (folder / "landing" / "truth" / f"{table}.csv").open(encoding="utf-8") as file:
        return [*csv.DictReader(file)]


@pytest.fixture(scope="module", params=[(), PLANTED], ids=["planted", "null"])
def world(request, spark_session, tmp_path_factory):
    spark_session.conf.set("spark.sql.codegen.wholeStage", "false")
    yield Users(spark_session, tmp_path_factory.mktemp("cases"), request.param), not request.param
    spark_session.conf.unset("spark.sql.codegen.wholeStage")


def test_show(world):
    users, planted = world
    print("PLANTED", planted)
    r = users.rules
    for name, (c, o) in {
        "bargain": (r["bargain_hunters"], "n_purchases_365d >= 4"),
        "quality": (r["quality_seeking"], "n_purchases_365d >= 4"),
        "cooks": (r["late_night_cooks"], "occasions_90d >= 1"),
        "stocked": ("silence_days > 2 * cycle_days", "days_since_large_pack <= 120"),
        "stocked_rule": (r["stocked_up"], "days_since_large_pack <= 120"),
        "silent": ("silence_days > 2 * cycle_days", "occasions_all >= 2 and last_large_pack_on is null"),
    }.items():
        print(name, users.share(c, o))
        if planted:
            users.frame.where(o).where(c).groupBy("kind", "hours", "misjudges_cycle").count().show()
    print(
        "seats",
        users.total("sum(seats_left_90d) / sum(n_seat_choices_90d)"),
        users.total("sum(n_seat_choices_90d)"),
    )

"""Business situations as folders of files, played on one real project (tests/scenarios/README.md)."""

import csv
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Table
from lifestage.users.resolution import add_user, resolve_users
from support.projects import MAIN, TILL, TestProject, make_project
from support.pseudonyms import pseudonym

# A web log whose visits carry a cookie, a member number or both, and a kiosk that numbers nothing.
WEB = """
path: web/*.csv
format: csv
columns: {visit: string, at: timestamp, kind: string, cookie: string, member: string}
key: [visit]
identifiers: {cookie: cookie, member: member}
map: {event_type: kind, event_at: at, channel: "'web'"}
"""
KIOSK = """
path: kiosk/*.csv
format: csv
columns: {at: timestamp, card: string, amount: "decimal(18,2)"}
identifiers: {member: card}
map: {event_type: "'purchase'", event_at: at, channel: "'store'", amount: amount}
"""
SOURCES = {"till": TILL, "web": WEB, "kiosk": KIOSK}
HISTORY = (
    "history_starts_on: 2026-01-01, left_censor_margin_days: 0",
    "history_starts_on: 2025-06-01, left_censor_margin_days: 30",
)

# Columns of given files that hold an identifier, and its type.
IDENTIFIERS = {"card": "member", "member": "member", "cookie": "cookie"}
DAILY = ("ingest", "activity")
AT_THE_END = ("identity", "features", "stages")
OWNER = "--"


@dataclass(frozen=True)
class Scenario:
    """One folder: deliveries by date, and the rows of one table that they have to lead to."""

    folder: Path
    story: str
    table: str
    as_of: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def deliveries(self) -> dict[str, list[Path]]:
        """Files by the day on which they arrive."""
        return {day.name: sorted(day.glob("*/*")) for day in sorted((self.folder / "given").iterdir())}

    @property
    def people(self) -> dict[str, str]:
        """Every customer of the given files with the type of the identifier."""
        return {
            row[column]: kind
            for files in self.deliveries.values()
            for file in files
            for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines())
            for column, kind in IDENTIFIERS.items()
            if row.get(column)
        }


def scenarios_in(folder: Path) -> list[Scenario]:
    """Every scenario of a folder, by name."""
    return [_scenario(file.parent) for file in sorted(folder.glob("*/scenario.yaml"))]


def _scenario(folder: Path) -> Scenario:
    said = yaml.safe_load((folder / "scenario.yaml").read_text(encoding="utf-8"))
    return Scenario(folder, said["story"], said["table"], tuple(str(day) for day in said.get("as_of", ())))


@dataclass(frozen=True)
class Played:
    """A project on which all scenarios have happened."""

    test: TestProject

    def actual(self, scenario: Scenario) -> DataFrame:
        """The scenario's rows of its table, with `who` for pseudonyms and `file` for paths."""
        table = self.test.project.tables[scenario.table]
        rows = self.test.read(scenario.table)
        if "as_of" in table.names:
            rows = rows.where(F.col("as_of").cast("string").isin(*scenario.as_of))
        if "delivery_no" in table.names:
            rows = rows.join(self._files(scenario), on="delivery_no", how="inner")
        who = self._who(scenario)
        if "user_id" in table.names:
            return rows.join(who, on="user_id", how="inner")
        return (
            rows.join(who, on="subject", how=self._subjects_of(table)) if "subject" in table.names else rows
        )

    def expected(self, scenario: Scenario) -> DataFrame:
        """then.csv, typed by the table's contract; an empty field is NULL."""
        file = scenario.folder / "then.csv"
        header = file.read_text(encoding="utf-8").splitlines()[0].split(",")
        fields = {
            field.name: field.dataType for field in self.test.project.tables[scenario.table].schema.fields
        }
        schema = T.StructType([T.StructField(name, fields.get(name, T.StringType())) for name in header])
        reader = self.test.project.store.spark.read.schema(schema).options(header=True, mode="FAILFAST")
        return reader.option("enforceSchema", False).csv(str(file))

    def _files(self, scenario: Scenario) -> DataFrame:
        ledger = self.test.read("ingest_ledger").where(F.col("path").contains(f"/{scenario.name}{OWNER}"))
        return ledger.select("delivery_no", F.substring_index("path", OWNER, -1).alias("file"))

    def _who(self, scenario: Scenario) -> DataFrame:
        """subject and user_id of each customer; unique on either, as each customer shows one identifier."""
        key = self.test.project.secrets.pseudonym_key
        people = [(name, pseudonym(key, kind, name)) for name, kind in scenario.people.items()]
        spark = self.test.project.store.spark
        who = spark.createDataFrame(people, "who string, subject string")
        newest = resolve_users(self.test.read("identity_map"), self.test.read("identity_past"), [])
        return add_user(who, newest).select("who", "subject", "user_id")

    @staticmethod
    def _subjects_of(table: Table) -> str:
        """Events of nobody stay; they are found by their file."""
        return "left" if "delivery_no" in table.names else "inner"


def play(spark: SparkSession, folder: Path, scenarios: Sequence[Scenario]) -> Played:
    """All scenarios on one project: a run a day on which anything arrives, then features and stages of all dates."""
    test = make_project(spark, folder, SOURCES, MAIN.replace(*HISTORY))
    for day, arrivals in _calendar(scenarios):
        for scenario, file in arrivals:
            target = test.folder / "landing" / file.parent.name / f"{scenario.name}{OWNER}{file.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        test.run(day, steps=DAILY)
    as_of = sorted({day for scenario in scenarios for day in scenario.as_of})
    test.run(",".join(as_of), steps=AT_THE_END)
    return Played(test)


def _calendar(scenarios: Sequence[Scenario]) -> Iterator[tuple[str, list[tuple[Scenario, Path]]]]:
    days = sorted({day for scenario in scenarios for day in scenario.deliveries})
    for day in days:
        yield day, [(each, file) for each in scenarios for file in each.deliveries.get(day, ())]

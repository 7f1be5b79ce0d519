"""Small real projects on a temporary folder: files in, runs, tables out."""

import shutil
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.reference.config import ReferenceConfig
from lifestage.platform.config.configuration import Config
from lifestage.platform.storage.delta import DeltaStore, Location
from lifestage.platform.storage.memory import MemoryStore
from lifestage.platform.storage.store import Store
from lifestage.project.loader import load_config
from lifestage.project.opening import Project, Request
from lifestage.project.pipeline import STEPS
from lifestage.project.registry import tables_of
from lifestage.project.runner import execute
from lifestage.project.secrets import read_secrets

ALL_STEPS = tuple(step for step in STEPS if step != "report")
TO_ACTIVITY = ("reference", "ingest", "identity", "activity")

MAIN = """
storage: {root: tables}
landing: landing
business: {name: Test, time_zone: America/New_York, history_starts_on: 2026-01-01, left_censor_margin_days: 0}
report: {path: report.html}
publish: {max_user_drop: 1}
"""

# A till whose lines may be corrected (a higher version) and deleted; the offset is in the timestamp.
TILL = """
path: till/*.csv*
format: csv
columns: {receipt: string, line: int, version: int, deleted: boolean, card: string, at: timestamp, kind: string,
          product: string, quantity: "decimal(18,3)", amount: "decimal(18,2)"}
key: [receipt, line]
version: version
delete_when: deleted
identifiers: {member: card}
map: {event_type: kind, event_at: at, channel: "'store'", amount: amount, quantity: quantity, product_id: product,
      order_id: receipt, category: "CASE WHEN product IS NOT NULL THEN upper(product) END"}
gate: 0
"""

# A customer file with one identifier.
MEMBERS = """
path: members/*.csv
format: csv
columns: {number: string, since: date}
key: [member]
valid_from: try_cast(substring(file_name, 1, 10) AS date)
map: {member: number, since: since}
types: {since: date}
identifiers: {member: member}
gate: 0.4
"""

TILL_COLUMNS = (
    "receipt",
    "line",
    "version",
    "deleted",
    "card",
    "at",
    "kind",
    "product",
    "quantity",
    "amount",
)


@dataclass(frozen=True)
class TestProject:
    """A project folder and the runs on it."""

    __test__ = False

    folder: Path
    project: Project

    def deliver(self, name: str, rows: Sequence[Mapping[str, object]], source: str = "till") -> Path:
        """A CSV file of the till; columns a row leaves out are empty."""
        lines = [",".join(TILL_COLUMNS)]
        lines += [",".join(str(row.get(column, "")) for column in TILL_COLUMNS) for row in rows]
        return self.write(f"{source}/{name}", "\n".join(lines) + "\n")

    def write(self, path: str, text: str) -> Path:
        file = self.folder / "landing" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def run(
        self, as_of: str, now: str | None = None, steps: Sequence[str] = ALL_STEPS, **request: object
    ) -> Request:
        """One run; `now` is 23:00 UTC of as_of unless given."""
        days = tuple(date.fromisoformat(day) for day in as_of.split(","))
        moment = (
            datetime.fromisoformat(now)
            if now
            else datetime(days[-1].year, days[-1].month, days[-1].day, 23, tzinfo=UTC)
        )
        made = Request(
            run_id=str(request.pop("run_id", f"run-{as_of}-{now}")),
            as_of_dates=days,
            now=moment,
            wall_clock=datetime(2026, 6, 1, tzinfo=UTC),
            steps=tuple(steps),
            **request,  # type: ignore[arg-type]
        )
        execute(self.project, made, lambda *_: None)
        return made

    def read(self, table: str) -> DataFrame:
        return self.project.store.read(self.project.tables[table])


def packaged_config(changes: str = "") -> Config:
    """The configuration of a project that changes nothing, or what `changes` says in its main file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "main.yaml"
        file.write_text(MAIN + changes)
        return load_config(file)


def make_project(
    spark: SparkSession,
    folder: Path,
    sources: Mapping[str, str] | None = None,
    main: str = MAIN,
    store: Store | None = None,
    **files: str,
) -> TestProject:
    """A project in a folder of its own; `files` are further YAML files by name (features, stages, ...).

    Its tables are in memory, which takes a fraction of the time that commits to Delta take and obeys the same contract.
    Tests about files, logs or other processes pass `delta_store(spark, folder)`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = main.replace("root: tables", f"root: {folder}/tables").replace(
        "landing: landing", f"landing: {folder}/landing"
    )
    (folder / "main.yaml").write_text(text.replace("path: report.html", f"path: {folder}/report.html"))
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(textwrap.dedent(content))
    for name, content in (sources or {"till": TILL}).items():
        file = folder / f"{name}.yaml" if "/" in name else folder / "sources" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(content))
    config = load_config(folder / "main.yaml")
    project = Project(config, store or MemoryStore(spark), tables_of(config), read_secrets(config))
    return TestProject(folder, project)


def delta_store(spark: SparkSession, folder: Path) -> DeltaStore:
    """The tables of a project in this folder, as `open_project` finds them."""
    return DeltaStore(spark, Location(root=str(folder / "tables")))


def copy_of(project: TestProject, folder: Path) -> TestProject:
    """The same configuration and files on an empty storage root, in memory."""
    folder.mkdir(parents=True)
    shutil.copytree(project.folder / "landing", folder / "landing", copy_function=shutil.copy2)
    config = project.project.config
    for kind in (IngestConfig, ReferenceConfig):
        config = config.replace_of(kind, landing=str(folder / "landing"))
    store = MemoryStore(project.project.store.spark)
    return TestProject(folder, replace(project.project, config=config, store=store))

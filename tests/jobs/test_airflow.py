"""Airflow runs the DAGs of jobs/airflow on a starter project, in an environment of its own."""

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lifestage.project.opening import open_project
from lifestage.project.pipeline import STEPS
from lifestage.services.starter import create
from support.sessions import BRIEF, to_yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# The run of a logical date builds the day before it.
FIRST, SECOND = "2026-03-31T12:00", "2026-04-01T12:00"
# Without a model of segments, which a first run would train on a date of its own.
SEGMENTS = "training: {from: 2026-04-01}\n"
# What Airflow must not know: this checkout, and the environment that it is tested in.
OF_THE_CHECKOUT = ("LIFESTAGE_", "PYTHON", "PYSPARK", "SPARK_", "VIRTUAL_ENV")
LISTED = """
import json, sys
from airflow.dag_processing.dagbag import DagBag

bag = DagBag()
dags = {
    dag.dag_id: {
        "edges": [[task.task_id, sorted(task.downstream_task_ids)] for task in dag.topological_sort()],
        "limits": [dag.catchup, dag.max_active_runs, *{task.retries for task in dag.tasks}],
        "zone": str(dag.timezone),
    }
    for dag in bag.dags.values()
}
heavy = sorted({"lifestage", "pyspark", "delta"} & set(sys.modules))
print(json.dumps({"dags": dags, "errors": bag.import_errors, "heavy": heavy}))
"""


def with_constants(text: str, **constants: str) -> str:
    """A DAG file with other constants; every line keeps its number."""
    lines = text.splitlines()
    found = {
        ast.unparse(node.targets[0]): node for node in ast.parse(text).body if isinstance(node, ast.Assign)
    }
    for name, value in constants.items():
        node = found[name]
        rest = [""] * (node.end_lineno - node.lineno)
        lines[node.lineno - 1 : node.end_lineno] = [f"{name} = {value}", *rest]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Airflow:
    """An Airflow with a database of its own, and the project that its DAGs run."""

    programs: Path
    home: Path
    shop: Path

    def call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_CHECKOUT)}
        jars = {name: os.environ[name] for name in ("LIFESTAGE_JARS",) if name in os.environ}
        settings = {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        return subprocess.run(
            [self.programs / program, *arguments],
            env={**kept, **jars, **settings},
            cwd=self.home,
            check=False,
            capture_output=True,
            text=True,
        )

    def run(self, dag: str, logical_date: str, *options: str) -> subprocess.CompletedProcess[str]:
        return self.call("airflow", "dags", "test", dag, logical_date, *options)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    tool = subprocess.run([ROOT / "scripts/lib/tool", "airflow"], check=True, capture_output=True, text=True)
    home = tmp_path_factory.mktemp("airflow")
    shop = home / "shop"
    create(shop, False, ())
    with (shop / "lifestage.yaml").open("a") as main:
        main.write(to_yaml(BRIEF))
    (shop / "segments.yaml").write_text(SEGMENTS)
    python = f"env PYTHONPATH={ROOT / 'lib'} {sys.executable}"
    constants = {"PROJECT": repr(str(shop)), "RETRY_DELAY": "timedelta(seconds=1)"}
    daily = {"LIFESTAGE": repr(f"{python} -m lifestage.cli")}
    steps = {"SUBMIT": repr(python), "JOBS": repr(str(ROOT / "jobs")), "CONF": repr("lifestage.yaml")}
    (home / "dags").mkdir()
    for name, more in (("lifestage_daily", daily), ("lifestage_steps", steps)):
        text = (ROOT / "jobs" / "airflow" / f"{name}.py").read_text()
        (home / "dags" / f"{name}.py").write_text(with_constants(text, **constants, **more))
    # The DAG of steps once more: it prints its commands instead.
    text = (ROOT / "jobs" / "airflow" / "lifestage_steps.py").read_text()
    printing = with_constants(text, **constants, SUBMIT='"echo"', JOBS='"JOBS"', CONF='"CONF"')
    (home / "dags" / "printing.py").write_text(printing.replace('"lifestage_steps"', '"printing"'))
    found = Airflow(Path(tool.stdout.strip()), home, shop)
    migrated = found.call("airflow", "db", "migrate")
    assert migrated.returncode == 0, migrated.stderr[-4000:]
    return found


@pytest.fixture(scope="module")
def built(airflow):
    """The Airflow whose DAG has run on two days."""
    for logical_date in (FIRST, SECOND):
        done = airflow.run("lifestage_daily", logical_date)
        assert done.returncode == 0, done.stdout[-8000:]
    return airflow


@pytest.fixture
def contents(airflow, spark, monkeypatch):
    """Reads the rows of tables that show each kind of change: to events, to results, and to what is published."""
    monkeypatch.chdir(airflow.shop)

    def read() -> dict[str, list[str]]:
        project = open_project(airflow.shop / "lifestage.yaml", spark, needs_keys=False)
        return {
            name: sorted(str(row) for row in project.store.read(project.tables[name]).collect())
            for name in ("events", "user_features", "snapshots", "snapshot_users")
        }

    return read


def ids_of(snapshots: list[str]) -> list[str]:
    return [re.search(r"snapshot_id='(.*?)'", row)[1] for row in snapshots]


def test_airflow_finds_both_dags_and_imports_nothing_heavy(airflow):
    found = airflow.call("python", "-c", LISTED)
    assert found.returncode == 0, found.stderr[-4000:]
    listed = json.loads(found.stdout.splitlines()[-1])
    assert (listed["errors"], listed["heavy"]) == ({}, [])
    names = list(STEPS)
    chained = [
        [name, after] for name, after in zip(names, [*([name] for name in names[1:]), []], strict=True)
    ]
    same = {"limits": [False, 1, 2], "zone": "Europe/Berlin"}
    assert listed["dags"] == {
        "lifestage_daily": {"edges": [["run", []]], **same},
        "lifestage_steps": {"edges": chained, **same},
        "printing": {"edges": chained, **same},
    }


def test_the_jobs_of_a_day_are_those_of_the_map_with_one_date_and_one_now(airflow):
    """In Berlin the run begins on the first of April, so it builds the day before."""
    done = airflow.run("printing", "2026-03-31T23:30")
    assert done.returncode == 0, done.stdout[-8000:]
    printed = re.findall(r"\] JOBS/(\w+)\.py (--conf .*? --now )(\S+)", done.stdout)
    assert [step for step, _, _ in printed] == list(STEPS)
    assert {options for _, options, _ in printed} == {
        "--conf CONF --run-id airflow-20260331T233000 --as-of 2026-03-31 --now "
    }
    (now,) = {now for _, _, now in printed}
    assert datetime.now(UTC) - datetime.fromisoformat(now) < timedelta(hours=1)


@pytest.mark.usefixtures("built")
def test_two_days_are_two_snapshots(contents):
    assert ids_of(contents()["snapshots"]) == ["2026-03-30.r1", "2026-03-31.r1"]


def test_a_second_run_of_a_day_changes_nothing(built, contents):
    before = contents()
    done = built.run("lifestage_daily", SECOND)
    assert done.returncode == 0, done.stdout[-8000:]
    assert contents() == before


def test_a_step_is_a_job_of_the_run_of_its_day(built, contents):
    """Two steps run, because each starts a Spark session; the others are marked as done."""
    ran = ("reference", "ingest")
    others = "|".join(name for name in STEPS if name not in ran)
    before = contents()
    done = built.run("lifestage_steps", SECOND, "--mark-success-pattern", others)
    assert done.returncode == 0, done.stdout[-8000:]
    assert done.stdout.count("run airflow-20260401T120000: as of 2026-03-31, 1 of") == len(ran)
    assert contents() == before


@pytest.mark.parametrize("dag", ["lifestage_daily", "lifestage_steps"])
def test_a_step_that_fails_fails_the_run_of_the_dag(airflow, dag):
    main = airflow.shop / "lifestage.yaml"
    sound = main.read_text()
    try:
        main.write_text(sound.replace("landing: landing", "landings: landing"))
        done = airflow.run(dag, SECOND)
    finally:
        main.write_text(sound)
    assert done.returncode == 1
    assert "landings" in done.stdout + done.stderr

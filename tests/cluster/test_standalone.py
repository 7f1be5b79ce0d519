"""A standalone cluster whose workers know lifestage from the zip alone gives the rows that one process gives."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from cluster.standalone import HOST, SPARK_HOME, bare_environment, python_without_lifestage, standalone
from lifestage.platform.storage.contracts import Kind
from support.projects import ALL_STEPS, MAIN, TILL, TestProject, delta_store, make_project
from support.sessions import BRIEF_JVM, TINY

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TO_FEATURES = ALL_STEPS[: ALL_STEPS.index("stages")]
FIRST, SECOND = "2026-02-27", "2026-02-28"
TIMEOUT = 900

PRODUCTS = """
path: products/products_*.csv
format: csv
columns: {product: string, department: string}
key: [product_id]
extract: full
valid_from: try_cast(regexp_extract(file_name, '[0-9]{4}-[0-9]{2}-[0-9]{2}', 0) AS date)
map: {product_id: product, department: department}
"""
# Tiny, but with a model: its assignment is Python on the workers.
SEGMENTS = f"""
k: [2, 3]
min_users: 10
min_segment_share: 0
training: {{every: null, dates: ["{FIRST}"]}}
"""
LOOKUP = """
activity:
  lookups: {products: {product_id: product_id}}
  category: coalesce(category, products.department)
"""


def cluster_settings(archive: Path) -> dict[str, str]:
    return TINY | {
        "spark.submit.pyFiles": str(archive),
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        "spark.driver.memory": "1g",
        "spark.executor.memory": "900m",
        "spark.driver.extraJavaOptions": BRIEF_JVM,
        "spark.executor.extraJavaOptions": BRIEF_JVM,
        # Rows cross the wire.
        "spark.sql.shuffle.partitions": "2",
        "spark.default.parallelism": "2",
    }


def sale(number: int, card: int, day: str, amount: str, **more: object) -> dict[str, object]:
    return {
        "receipt": f"r{number}",
        "line": 1,
        "version": 1,
        "card": f"c{card}",
        "at": f"{day}T{9 + number % 12:02d}:15:00-05:00",
        "kind": "purchase",
        "product": f"p{number % 4}",  # p3 is in no extract
        "quantity": 1 + number % 3,
        "amount": amount,
        **more,
    }


def lay_out_first(project: TestProject) -> None:
    """Two months of 24 cards with different rhythms, and two lines that cannot be read."""
    project.write("products/products_2026-01-01.csv", "product,department\np0,Dairy\np1,Bakery\np2,Wine\n")
    rows = [
        sale(
            number,
            number % 24,
            f"2026-{1 + number % 2:02d}-{1 + number * 7 % 27:02d}",
            f"{3 + number % 17}.{number % 100:02d}",
        )
        for number in range(160)
    ]
    rows += [sale(900, 1, FIRST, "much"), sale(901, 2, FIRST, "-4.00")]
    project.deliver("first.csv", rows)


def lay_out_second(project: TestProject) -> Path:
    """A day later: new sales, a correction, a delete, a re-delivered line, a return, a late row."""
    rows = [sale(1000 + card, card, SECOND, "12.50") for card in range(0, 30, 3)]
    rows += [
        sale(30, 6, f"2026-01-{1 + 30 * 7 % 27:02d}", "99.99", version=2),
        sale(31, 7, f"2026-02-{1 + 31 * 7 % 27:02d}", "1.00", version=2, deleted="true"),
        sale(1000, 0, SECOND, "12.50"),
        sale(1100, 3, SECOND, "-2.25", kind="return"),
        sale(1101, 4, "2026-01-20", "5.00"),
    ]
    return project.deliver("second.csv", rows)


def request(as_of: str, steps: tuple[str, ...], run_id: str) -> dict[str, object]:
    return {"as_of": as_of, "steps": list(steps), "run_id": run_id, "is_job": True}


WHOLE = request(FIRST, ALL_STEPS, "whole")
UP_TO_FEATURES = request(SECOND, TO_FEATURES, "split")


def run_driver(
    project: TestProject, runs: list[dict[str, object]], environment: Mapping[str, str]
) -> dict[str, object]:
    """What the driver tells of its workers, after these runs in one application."""
    command = [sys.executable, str(ROOT / "tests/cluster/driver.py"), str(project.folder), json.dumps(runs)]
    return json.loads(successful(command, environment, project.folder).splitlines()[-1])


def successful(command: list[str], environment: Mapping[str, str], folder: Path) -> str:
    """The output of a command that has to end well."""
    ended = subprocess.run(
        command, env=environment, cwd=folder, check=False, capture_output=True, text=True, timeout=TIMEOUT
    )
    assert ended.returncode == 0, f"{ended.stdout[-4000:]}\n{ended.stderr[-8000:]}"
    return ended.stdout


def rows_of(project: TestProject, table: str) -> list[str]:
    """Every row as text, sorted; the tables here are tiny. JSON, because frames with maps cannot be compared."""
    frame = project.read(table)
    texts = frame.select(F.to_json(F.struct(*sorted(frame.columns))).alias("row"))
    return sorted(row["row"] for row in texts.collect())


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([ROOT / "scripts" / "build", folder], check=True, capture_output=True, text=True)
    return folder / "lifestage.zip"


@pytest.fixture(scope="module")
def worker_python(tmp_path_factory) -> Path:
    return python_without_lifestage(tmp_path_factory.mktemp("python"))


@pytest.fixture(scope="module")
def keys() -> dict[str, str]:
    return {name: os.environ[name] for name in ("LIFESTAGE_PSEUDONYM_KEY", "LIFESTAGE_QUARANTINE_KEY")}


@pytest.fixture(scope="module")
def pair(spark_session, tmp_path_factory, archive, worker_python, keys):
    """The same two days, on the cluster (the stages of the second by spark-submit) and in this process."""
    folder = tmp_path_factory.mktemp("projects")
    settings = "\n".join(f"  {name}: {value!r}" for name, value in cluster_settings(archive).items())
    sources = {"till": TILL, "reference/products": PRODUCTS}
    main = MAIN + LOOKUP
    made = {
        "cluster": make_project(
            spark_session,
            folder / "cluster",
            sources,
            f"{main}spark:\n{settings}\n".replace("'", '"'),
            delta_store(spark_session, folder / "cluster"),
            segments=SEGMENTS,
        ),
        "local": make_project(
            spark_session,
            folder / "local",
            sources,
            main,
            delta_store(spark_session, folder / "local"),
            segments=SEGMENTS,
        ),
    }
    told = {}
    with standalone(folder / "standalone") as cluster:
        driver = bare_environment(
            {
                **keys,
                "SPARK_MASTER": cluster.master,
                "PYSPARK_PYTHON": str(worker_python),
                "PYTHONPATH": str(ROOT / "tests"),
                "LIFESTAGE_JARS": os.environ["LIFESTAGE_JARS"],
            }
        )
        lay_out_first(made["cluster"])
        second = lay_out_second(made["cluster"])
        waiting = made["cluster"].folder / "later" / "till"
        waiting.mkdir(parents=True)
        second.rename(waiting / second.name)
        told = run_driver(
            made["cluster"], [WHOLE, {**UP_TO_FEATURES, "lands": f"till/{second.name}"}], driver
        )
        told["submit"] = submit_stages(made["cluster"], cluster.master, archive, worker_python, keys)
    lay_out_first(made["local"])
    made["local"].run(**WHOLE)
    lay_out_second(made["local"])
    made["local"].run(**UP_TO_FEATURES)
    made["local"].run(**request(SECOND, ("stages",), "split"))
    return made["cluster"], made["local"], {**told, "master_asked": cluster.master}


def submit_stages(
    project: TestProject, master: str, archive: Path, python: Path, keys: Mapping[str, str]
) -> str:
    """The stages job as a scheduler would start it; here the driver too knows lifestage from the zip alone."""
    jars = ",".join(str(jar) for jar in sorted(Path(os.environ["LIFESTAGE_JARS"]).glob("delta-*.jar")))
    settings = {**cluster_settings(archive), "spark.databricks.delta.snapshotPartitions": "1"}
    del settings["spark.submit.pyFiles"]
    command = [
        str(SPARK_HOME / "bin" / "spark-submit"),
        "--master",
        master,
        "--py-files",
        str(archive),
        "--jars",
        jars,
    ]
    for name, value in settings.items():
        command += ["--conf", f"{name}={value}"]
    command += [
        str(ROOT / "jobs/stages.py"),
        "--conf",
        str(project.folder / "main.yaml"),
        "--as-of",
        SECOND,
        "--run-id",
        "split",
    ]
    return successful(command, bare_environment({**keys, "PYSPARK_PYTHON": str(python)}), project.folder)


def test_the_workers_python_has_our_packages_and_lacks_lifestage(worker_python, tmp_path):
    code = (
        "import cryptography, pandas, pyarrow, pyspark, importlib.util as u; print(u.find_spec('lifestage'))"
    )
    assert successful([str(worker_python), "-c", code], bare_environment(), tmp_path) == "None\n"


def test_the_run_was_on_the_cluster_and_its_workers_read_the_zip(pair, archive):
    _, _, told = pair
    assert told["master"] == told["master_asked"]
    assert len(told["origins"]) == 4
    assert [origin for origin in told["origins"] if f"/{archive.name}/lifestage/" not in origin] == []


def test_the_stages_of_the_second_day_are_those_of_spark_submit(pair):
    cluster, _, told = pair
    assert "run split" in told["submit"]
    commit = cluster.project.store.last_metadata(cluster.project.tables["user_stages"])
    assert (commit["run_id"], commit["step"]) == ("split", "stages")


def test_every_derived_table_has_the_rows_of_a_local_run(pair):
    cluster, local, _ = pair
    names = [
        name for name, table in local.project.tables.items() if table.kind in (Kind.DERIVED, Kind.ARTEFACT)
    ]
    differing = {
        name: set(rows_of(cluster, name)) ^ set(rows_of(local, name))
        for name in names
        if rows_of(cluster, name) != rows_of(local, name)
    }
    assert differing == {}
    empty = {name for name in names if not rows_of(local, name)}
    # Nothing names two identifiers, and there is no customer file.
    assert empty <= {
        "link_days",
        "links",
        "identity_map",
        "user_profiles",
        "matches",
        "channel_reach",
        "identity_suspicions",
    }


def test_the_published_users_are_the_same(pair):
    cluster, local, _ = pair
    assert rows_of(cluster, "snapshot_users") == rows_of(local, "snapshot_users") != []

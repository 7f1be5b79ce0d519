"""Compute the state of users with other engines, from the files of the benchmark, and compare the results."""

import hashlib
import hmac
import os
from functools import partial
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import duckdb
import pyarrow as pa
from pyspark.sql import SparkSession

from benchmark.engines import Engine, Task, run_duckdb, run_polars, run_spark_sql
from benchmark.figures import say
from benchmark.measuring import N_REPEATS, measure_run, nightly_request, write_main_file
from benchmark.sizes import Size
from benchmark.state_query import columns_of_state, write_state_query
from benchmark.usage import measure_usage
from lifestage.ingestion.events.event_types import EVENT_TYPES, actions_of
from lifestage.platform.runtime.session import build_session
from lifestage.project.loader import load_config
from lifestage.project.opening import open_project
from lifestage.project.pipeline import STEPS
from lifestage.users.catalogue.model import CATALOGUE

ENGINES: dict[str, Engine] = {"duckdb": run_duckdb, "polars": run_polars}
PEERS = (*ENGINES, "spark")
# The steps from stored events to the state, and those before them.
OURS, BEFORE = ("activity", "features"), ("reference", "ingest", "identity", "profiles")
ALSO = ("first_purchase_channel", "occasion_days")


def rebuild_state(size: Size, spark: SparkSession | None = None) -> list[dict[str, Any]]:
    """Measure activity and features of the last day from stored events alone, in one session. Keeps the state."""
    kept = {table for step in BEFORE for table in STEPS[step].writes}
    runs = []
    for number in range(N_REPEATS):
        root = f"rebuilt-{number}"
        rmtree(size.folder / root, ignore_errors=True)
        for table in (size.folder / "tables").iterdir():
            if table.name in kept:
                copytree(table, size.folder / root / table.name, copy_function=os.link)
        project = open_project(write_main_file(size, f"{root}.yaml", root), spark)
        spark = project.store.spark
        runs.append(measure_run(project, nightly_request(size.dates[-1], OURS), size))
        if number == 0:
            names = ["user_id", *ALSO, *columns_of_state(project.config.parts[CATALOGUE])]
            ours = project.store.read(project.tables["user_state"]).select(*names)
            ours.write.mode("overwrite").parquet(str(result_of(size, "ours").resolve()))
    return runs


def measure_peer(size: Size, engine: str) -> list[dict[str, Any]]:
    """Measure an engine that computes the state of the last day and writes it to parquet."""
    config = load_config(size.folder / "main.yaml")
    result_of(size, engine).parent.mkdir(exist_ok=True)
    task = Task(
        files=size.folder / "landing" / "events",
        as_of=size.dates[-1],
        actions=actions_of(config.parts[EVENT_TYPES]),
        query=write_state_query(config.parts[CATALOGUE], engine),
        result=result_of(size, engine),
    )
    compute = ENGINES.get(engine) or partial(run_spark_sql, spark=build_session())
    runs = []
    for _ in range(N_REPEATS):
        with measure_usage() as used:
            compute(task)
        say(f"  {engine:<12} {used['seconds']:8.1f} s")
        runs.append(used)
    return runs


def result_of(size: Size, engine: str) -> Path:
    """The file or folder with the state of one engine."""
    return size.folder / "results" / f"{engine}.parquet"


def count_differing_users(size: Size, engine: str) -> int:
    """Count the users whose state differs between us and another engine, and those that only one of them has."""
    config = load_config(size.folder / "main.yaml")
    key = bytes.fromhex(os.environ["LIFESTAGE_PSEUDONYM_KEY"])
    theirs = f"'{result_of(size, engine)}{'/*.parquet' if engine == 'spark' else ''}'"
    ours = f"'{result_of(size, 'ours')}/*.parquet'"
    connection = duckdb.connect()
    members = [row[0] for row in connection.execute(f"SELECT member FROM {theirs}").fetchall()]
    users = pa.table({"member": members, "user_id": [user_id_of(member, key) for member in members]})
    connection.register("users", users)
    # Cast to the types of our tables and sort lists. An engine may give NULL for an empty list.
    kinds = dict(
        connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {ours})").fetchall()
    )
    columns = [
        f"coalesce(list_sort({name})::DATE[], []) AS {name}"
        if name == "occasion_days"
        else f"{name}::{kinds[name]} AS {name}"
        for name in ("user_id", *ALSO, *columns_of_state(config.parts[CATALOGUE]))
    ]
    connection.execute(f"CREATE TEMP VIEW a AS SELECT {', '.join(columns)} FROM {ours}")
    connection.execute(
        f"CREATE TEMP VIEW b AS SELECT {', '.join(columns)} FROM {theirs} JOIN users USING (member)"
    )
    found = connection.execute(
        "SELECT count(DISTINCT user_id) FROM ((FROM a EXCEPT FROM b) UNION ALL (FROM b EXCEPT FROM a))"
    ).fetchone()
    assert found is not None
    return int(found[0])


def user_id_of(member: str, key: bytes) -> str:
    """The user_id of a member without other identifiers."""
    pseudonym = hmac.digest(key, b"member\0" + member.encode(), "sha256")[:16].hex()
    return hashlib.sha256(f"user:{pseudonym}".encode()).hexdigest()[:32]

"""Schedules with a task for each step of the map: a DAG for Airflow and a job for Databricks."""

from collections.abc import Sequence
from typing import Any

import yaml

from lifestage.platform.domain import Domain
from lifestage.project.pipeline import steps

DAG = '''"""Run lifestage once a day with a task for each step of the map. Written by scripts/docs.

For clusters: each task submits a job of its own. On one machine, lifestage_daily.py is faster, because its steps share one Spark session.

Copy this file to Airflow's DAG folder and set the constants. This file imports only Airflow. SUBMIT starts the jobs in an environment
that has Spark and the packages of lifestage.

- **Date:** the run with the logical date D builds the day before D, in TIME_ZONE. Its run id is `airflow-` and the logical date, so a
  retry and a cleared task belong to the same run. All jobs of a run take its start as `--now`.
- **Missed days:** Airflow runs only the newest day (`catchup=False`), and that run ingests every new file. To build the dates between,
  and a training date of segments that was missed, use `lifestage backfill`.
- **One at a time:** `max_active_runs=1`, and each task waits for the one before, because the jobs of a run share the lock on the storage
  root.
"""

from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, chain

PROJECT = "/srv/shop"  # the working directory of the jobs
CONF = "conf/prod.yaml"  # the main file
JOBS = "/opt/lifestage/jobs"
SUBMIT = (
    "spark-submit --py-files /opt/lifestage/dist/lifestage.zip --packages io.delta:delta-spark_4.2_2.13:4.4.0 "
    "--conf spark.sql.codegen.hugeMethodLimit=8000"
)
SCHEDULE = "15 5 * * *"  # after the last files of a day have arrived
TIME_ZONE = "Europe/Berlin"  # of the schedule and of the business
RETRY_DELAY = timedelta(minutes=5)

# A run that is triggered without a logical date uses the time of the trigger.
MOMENT = "(dag_run.logical_date or dag_run.run_after)"
AS_OF = f"{{{{ ({MOMENT}.astimezone(dag.timezone) - macros.timedelta(days=1)) | ds }}}}"
RUN_ID = f"airflow-{{{{ {MOMENT} | ts_nodash }}}}"
# The start of the run. `airflow dags test` gives the logical date as start_date, and the clock as run_after.
NOW = "{{ ([dag_run.start_date, dag_run.run_after] | max).isoformat() }}"

# The map, in its order.
STEPS = (
%s
)

with DAG(
    "lifestage_steps",
    schedule=SCHEDULE,
    start_date=pendulum.datetime(2026, 1, 1, tz=TIME_ZONE),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": RETRY_DELAY},
    doc_md=__doc__,
):
    chain(
        *[
            BashOperator(
                task_id=step,
                bash_command=f"{SUBMIT} {JOBS}/{step}.py --conf {CONF} --run-id {RUN_ID} --as-of {AS_OF} --now {NOW}",
                cwd=PROJECT,
            )
            for step in STEPS
        ]
    )
'''

BUNDLE = """\
# A Databricks job with a task for each step of the map, as a bundle. Written by scripts/docs.
#
#   scripts/build
#   cd jobs && databricks bundle deploy --var conf=/Volumes/main/shop/project/prod.yaml,spark_version=...,node_type_id=...
#
# - The runtime needs the versions of Spark and Delta in pyproject.toml. The secret scope `lifestage` holds the two keys.
# - Each task waits for the one before, because the jobs of a run share the lock on the storage root.
# - All tasks take the time of the schedule as --now, and build the day before it in the business time zone. If you change the
#   schedule, change the time in --now as well.
# - A repaired run has the same --run-id, so it completes the run.
"""
# The schedule, in UTC as `job.start_time` on Databricks.
HOUR, MINUTE = 4, 15


def dag_file(domains: Sequence[Domain]) -> str:
    """The DAG with a task for each step."""
    return DAG % "\n".join(f'    "{step.name}",' for step in steps(domains))


def bundle_file(domains: Sequence[Domain]) -> str:
    """The Databricks bundle."""
    names = [step.name for step in steps(domains)]
    bundle = {
        "bundle": {"name": "lifestage"},
        "variables": {
            "conf": {"description": "Path of the main file."},
            "spark_version": {"description": "Databricks Runtime of the job's cluster."},
            "node_type_id": {"description": "Node type of the job's cluster."},
            "num_workers": {"description": "Workers of the job's cluster.", "default": 2},
        },
        "resources": {"jobs": {"lifestage": _job(names)}},
    }
    return BUNDLE + yaml.safe_dump(bundle, sort_keys=False, width=1000)


def _job(names: Sequence[str]) -> dict[str, Any]:
    keys = {
        f"LIFESTAGE_{name.upper()}_KEY": f"{{{{secrets/lifestage/{name}_key}}}}"
        for name in ("pseudonym", "quarantine")
    }
    cluster = {
        "spark_version": "${var.spark_version}",
        "node_type_id": "${var.node_type_id}",
        "num_workers": "${var.num_workers}",
        "data_security_mode": "SINGLE_USER",
        "spark_conf": {"spark.sql.codegen.hugeMethodLimit": "8000"},
        "spark_env_vars": keys,
    }
    return {
        "name": "lifestage",
        "max_concurrent_runs": 1,
        "schedule": {"quartz_cron_expression": f"0 {MINUTE} {HOUR} * * ?", "timezone_id": "UTC"},
        "job_clusters": [{"job_cluster_key": "lifestage", "new_cluster": cluster}],
        "tasks": [_task(name, before) for name, before in zip(names, [None, *names], strict=False)],
    }


def _task(name: str, before: str | None) -> dict[str, Any]:
    now = f"{{{{job.start_time.iso_date}}}}T{HOUR:02d}:{MINUTE:02d}:00Z"
    parameters = ["--conf", "${var.conf}", "--run-id", "databricks-{{job.run_id}}", "--now", now]
    return {
        "task_key": name,
        **({"depends_on": [{"task_key": before}]} if before else {}),
        "job_cluster_key": "lifestage",
        "max_retries": 2,
        "min_retry_interval_millis": 300_000,
        "libraries": [{"whl": "../dist/*.whl"}],
        "spark_python_task": {"python_file": f"{name}.py", "parameters": parameters},
    }

"""Run lifestage once a day with a task for each step of the map. Written by scripts/docs.

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
    "reference",
    "ingest",
    "identity",
    "activity",
    "profiles",
    "features",
    "stages",
    "value",
    "segments",
    "channels",
    "audiences",
    "publish",
    "report",
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

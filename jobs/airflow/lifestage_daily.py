"""Run lifestage once a day as one task: `lifestage run`.

Copy this file to Airflow's DAG folder and set the constants. Airflow and lifestage need different versions of the same packages, so each
has an environment of its own: this file imports only Airflow, and starts lifestage as a command.

- **Date:** the run with the logical date D builds the day before D, in TIME_ZONE. Its run id is `airflow-` and the logical date, so a
  retry and a cleared run repeat the same run.
- **Missed days:** Airflow runs only the newest day (`catchup=False`), and that run ingests every new file. To build the dates between,
  use `lifestage backfill`.
- **One at a time:** `max_active_runs=1`, because a run holds the lock on its storage root.
"""

from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = "/srv/shop"  # the folder of the main file
LIFESTAGE = "/opt/lifestage/bin/lifestage"
SCHEDULE = "15 5 * * *"  # after the last files of a day have arrived
TIME_ZONE = "Europe/Berlin"  # of the schedule and of the business
RETRY_DELAY = timedelta(minutes=5)

# A run that is triggered without a logical date uses the time of the trigger.
MOMENT = "(dag_run.logical_date or dag_run.run_after)"
AS_OF = f"{{{{ ({MOMENT}.astimezone(dag.timezone) - macros.timedelta(days=1)) | ds }}}}"
RUN_ID = f"airflow-{{{{ {MOMENT} | ts_nodash }}}}"

with DAG(
    "lifestage_daily",
    schedule=SCHEDULE,
    start_date=pendulum.datetime(2026, 1, 1, tz=TIME_ZONE),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": RETRY_DELAY},
    doc_md=__doc__,
):
    BashOperator(
        task_id="run",
        bash_command=f"{LIFESTAGE} run --as-of {AS_OF} --run-id {RUN_ID}",
        cwd=PROJECT,
    )

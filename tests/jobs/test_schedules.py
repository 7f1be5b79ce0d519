"""The schedules in jobs/ hold the steps of the map, and what they start exists."""

import ast
import os
import re
import shlex
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import typer
import yaml

from lifestage.cli import app
from lifestage.cli.terminal import parse_now
from lifestage.project.pipeline import STEPS

JOBS = Path(__file__).parents[2] / "jobs"
DAGS = sorted((JOBS / "airflow").glob("*.py"))
OPERATE = JOBS.parent / "docs" / "how-to" / "operate.md"


def job() -> dict:
    return yaml.safe_load((JOBS / "databricks.yml").read_text())["resources"]["jobs"]["lifestage"]


def cron_line() -> str:
    return (JOBS / "crontab").read_text().splitlines()[-1]


def test_the_dag_of_steps_is_the_map():
    (steps,) = (
        ast.literal_eval(node.value)
        for node in ast.parse((JOBS / "airflow" / "lifestage_steps.py").read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "STEPS"
    )
    assert steps == tuple(STEPS)


@pytest.mark.parametrize("dag", DAGS, ids=lambda path: path.stem)
def test_a_dag_imports_neither_spark_nor_lifestage(dag):
    nodes = list(ast.walk(ast.parse(dag.read_text())))
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    assert {module.partition(".")[0] for module in modules} == {"airflow", "datetime", "pendulum"}


def test_the_databricks_job_is_the_map_one_step_after_the_other():
    names = [task["task_key"] for task in job()["tasks"]]
    before = [[each["task_key"] for each in task.get("depends_on", ())] for task in job()["tasks"]]
    assert names == list(STEPS)
    assert before == [[], *([name] for name in names[:-1])]


def test_a_task_of_the_databricks_job_starts_a_job_with_its_options():
    for task in job()["tasks"]:
        started = task["spark_python_task"]
        assert (JOBS / started["python_file"]).read_text().endswith(f'run_job("{task["task_key"]}")\n')
        assert started["parameters"][::2] == ["--conf", "--run-id", "--now"]
        assert task["job_cluster_key"] in [each["job_cluster_key"] for each in job()["job_clusters"]]


def test_the_jobs_on_databricks_take_the_time_of_the_schedule():
    schedule = job()["schedule"]
    now = job()["tasks"][0]["spark_python_task"]["parameters"][-1]
    moment = parse_now(now.replace("{{job.start_time.iso_date}}", "2026-11-22"))
    _, minute, hour, *_ = schedule["quartz_cron_expression"].split()
    assert schedule["timezone_id"] == "UTC"
    assert moment == datetime.fromisoformat(f"2026-11-22T{hour:0>2}:{minute:0>2}:00Z")


def test_the_cron_line_is_that_of_the_manual():
    assert f"    {cron_line()}\n" in OPERATE.read_text()


def test_the_options_of_the_cron_line_exist():
    words = shlex.split(re.search(r"lifestage (.*?) >>", cron_line())[1])
    command = typer.main.get_command(app).commands[words[0]]
    assert set(words[1:]) <= {option for parameter in command.params for option in parameter.opts}


def test_cron_mails_the_messages_of_a_run_that_fails(tmp_path):
    (tmp_path / "mail").write_text('#!/bin/sh\necho "$2" to "$3"; cat\n')
    (tmp_path / "mail").chmod(0o755)
    (tmp_path / "lifestage").symlink_to(Path(sys.executable).with_name("lifestage"))
    line = cron_line().split(maxsplit=5)[5].replace("/srv/shop", str(tmp_path))
    ended = subprocess.run(
        ["sh", "-c", line],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=False,
        capture_output=True,
        text=True,
    )
    subject, *messages = ended.stdout.splitlines()
    assert subject == "lifestage: exit code 2 to you"
    assert "conf/lifestage.yaml: file not found" in messages[0]
    assert '"exit_code": 2' in (tmp_path / "runs.jsonl").read_text()

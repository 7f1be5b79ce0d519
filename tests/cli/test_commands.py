"""The console script itself, as a shell starts it."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lifestage import __version__
from lifestage.project.pipeline import STEPS
from lifestage.services.starter import SAMPLE_ENDS_ON, create
from support.sessions import BRIEF, to_yaml

pytestmark = pytest.mark.slow


def lifestage(folder, *arguments):
    """The finished process of a command in a project that `create` made."""
    # Commands find the main file and the keys in the folder.
    hidden = ("LIFESTAGE_PSEUDONYM_KEY", "LIFESTAGE_QUARANTINE_KEY", "LIFESTAGE_CONF")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, "-m", "lifestage.cli", *arguments],
        cwd=folder,
        env={**environment, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_version_is_that_of_the_package(tmp_path):
    assert lifestage(tmp_path, "--version").stdout == f"lifestage {__version__}\n"


def test_validate_finds_the_starter_valid(tmp_path):
    create(tmp_path)
    done = lifestage(tmp_path, "validate")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "lifestage.yaml: valid\n  2 sources, 1 reference table, 10 stages, 10 audiences\n"


def test_validate_names_every_problem(tmp_path):
    create(tmp_path)
    (tmp_path / "sources" / "app.yaml").write_text("format: xml\n")
    (tmp_path / "keys" / "quarantine.key").write_text("secret\n")
    done = lifestage(tmp_path, "validate")
    assert (done.returncode, done.stdout) == (2, "")
    assert "sources/app.yaml: path: required key is missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret\n" not in done.stderr


def test_the_starter_runs_to_an_exported_snapshot(tmp_path):
    create(tmp_path)
    with (tmp_path / "lifestage.yaml").open("a") as file:
        file.write(to_yaml(BRIEF))
    done = lifestage(tmp_path, "run", "--as-of", str(SAMPLE_ENDS_ON))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    files, rows, hint, snapshot, report = done.stdout.splitlines()[-5:]
    assert re.fullmatch(r"files     \d+ new", files)
    told = re.fullmatch(r"rows      ([\d,]+) in: ([\d,]+) accepted, \d+ duplicate, .*\d+ rejected", rows)
    assert told is not None
    n_rows, n_accepted = (int(number.replace(",", "")) for number in told.groups())
    assert n_rows > n_accepted > 0
    assert hint == "          to see which rows were rejected, and why: lifestage quarantine list"
    assert snapshot == f"snapshot  {SAMPLE_ENDS_ON}.r1"
    assert Path(report.removeprefix("report    ")).is_file()
    assert max(len(line) for line in done.stdout.splitlines()[:-1]) <= 80
    for step in STEPS.values():
        assert re.search(
            rf"^  {step.name:<9} +[\d.]+ s{' +[0-9,]+ rows?' if step.writes else '$'}", done.stdout, re.M
        )
    again = lifestage(
        tmp_path, "run", "--steps", "reference,ingest", "--as-of", str(SAMPLE_ENDS_ON), "--json"
    )
    found = json.loads(again.stdout)
    assert (found["deliveries"]["n_files"], found["deliveries"]["n_rows"]) == (0, 0)
    assert (found["snapshot_id"], [step["step"] for step in found["steps"]]) == (
        None,
        ["reference", "ingest"],
    )
    assert again.stderr.startswith(f"run {found['run_id']}: as of {SAMPLE_ENDS_ON}, 2 of {len(STEPS)} steps")
    done = lifestage(tmp_path, "snapshot", "export", str(SAMPLE_ENDS_ON), "--to", "out/users.csv")
    assert done.returncode == 0, done.stderr
    listed = json.loads(lifestage(tmp_path, "snapshot", "list", "--json").stdout)
    with (tmp_path / "out" / "users.csv").open(encoding="utf-8") as file:
        users = list(csv.DictReader(file))
    assert [(item["snapshot_id"], item["is_latest"]) for item in listed] == [(f"{SAMPLE_ENDS_ON}.r1", True)]
    assert len(users) == listed[0]["n_users"] > 300
    assert len({user["stage"] for user in users}) >= 4
    done = lifestage(tmp_path, "report", "--language", "zh", "--out", "out/zh.html")
    assert (done.returncode, done.stdout) == (0, f"report  {tmp_path / 'out' / 'zh.html'}\n")
    assert '<html lang="zh">' in (tmp_path / "out" / "zh.html").read_text(encoding="utf-8")
    late = ("run", "--as-of", "2099-01-01", "--now", "2026-04-01T06:00:00Z", "--json")
    too_late = lifestage(tmp_path, *late)
    assert (too_late.returncode, "2099-01-01 is after 2026-0" in too_late.stderr) == (2, True)
    assert "2099-01-01 is after 2026-0" in json.loads(too_late.stdout)["error"]["problems"][0]
    assert not (tmp_path / "spark-warehouse").exists()
    too_early = lifestage(tmp_path, "run", "--as-of", "2024-06-30")
    assert (too_early.returncode, "Traceback" in too_early.stderr) == (1, False)
    assert "events exist from 2025-04-01 to 2026-03-31" in too_early.stderr

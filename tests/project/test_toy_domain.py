"""A domain is one folder and one line: a copy of the package gets one, everything finds it, and it goes again."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lifestage
from support.projects import MAIN, TILL, TILL_COLUMNS

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
HABITS = Path(__file__).parent / "habits"
IMPORT = "from lifestage.analytics.habits.domain import DOMAIN as HABITS\n"
BEFORE = "from lifestage.analytics.segments.domain"
AUDIENCES = """
audiences:
  frequent: {when: "habit = 'frequent'"}
  everybody: {when: "habit IS NOT NULL"}
"""
VISITS = [("r1", "c1", "2026-02-01"), ("r2", "c1", "2026-02-02"), ("r3", "c2", "2026-02-03")]


def add(package: Path) -> None:
    """The folder, and the line of the map with its import."""
    shutil.copytree(HABITS, package / "analytics" / "habits")
    file = package / "project" / "pipeline.py"
    text = file.read_text().replace(BEFORE, IMPORT + BEFORE, 1)
    file.write_text(text.replace("    SEGMENTS,\n", "    SEGMENTS,\n    HABITS,\n", 1))


def take_away(package: Path) -> None:
    shutil.rmtree(package / "analytics" / "habits")
    file = package / "project" / "pipeline.py"
    file.write_text(file.read_text().replace(IMPORT, "").replace("    HABITS,\n", ""))


def project(folder: Path, audiences: str) -> Path:
    """Three visits of two customers."""
    (folder / "sources").mkdir(parents=True)
    (folder / "landing" / "till").mkdir(parents=True)
    text = MAIN.replace("root: tables", f"root: {folder}/tables").replace(
        "landing: landing", f"landing: {folder}/landing"
    )
    (folder / "main.yaml").write_text(text.replace("path: report.html", f"path: {folder}/report.html"))
    (folder / "sources" / "till.yaml").write_text(TILL)
    (folder / "audiences.yaml").write_text(audiences)
    lines = [
        {"receipt": receipt, "line": 1, "version": 1, "deleted": "false", "card": card, "kind": "purchase",
         "at": f"{day}T12:00:00-05:00", "product": "tea", "quantity": 1, "amount": "5.00"}
        for receipt, card, day in VISITS
    ]  # fmt: skip
    rows = [",".join(TILL_COLUMNS), *[",".join(str(row[name]) for name in TILL_COLUMNS) for row in lines]]
    (folder / "landing" / "till" / "visits.csv").write_text("\n".join(rows) + "\n")
    return folder


def ask(package: Path, folder: Path) -> dict[str, object]:
    """The answers of a process that imports the package from there."""
    path = os.pathsep.join([str(package.parent), str(TESTS), str(TESTS.parent / "scripts")])
    command = [sys.executable, str(Path(__file__).parent / "drive_habits.py"), str(folder)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    answers: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answers


def test_a_domain_is_one_folder_and_one_line(tmp_path):
    package = tmp_path / "lib" / "lifestage"
    shutil.copytree(Path(lifestage.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    add(package)
    found = ask(package, project(tmp_path / "with", AUDIENCES))
    assert found["steps"][found["steps"].index("segments") + 1] == "habits"
    assert (found["help"], found["tables"]) == (True, True)
    assert found["problems"] == ["habits.yaml: frequent_days: more than the 90 days of the window"]
    assert {"README.md", "docs/tables.md", "docs/settings.md", "jobs/habits.py"} <= {*found["documents"]}
    assert "habit" in found["snapshot"]
    assert found["counts"] == ["habit:frequent", "habit:rare"]
    assert {"everybody", "frequent"} <= {*found["audiences"]}  # beside those of the packaged defaults
    assert found["explained"] == {"name": found["explained"]["name"], "frequent_from": 2}
    assert found["chapter"]
    take_away(package)
    left = ask(package, project(tmp_path / "without", "audiences: {}\n"))
    assert "habits" not in left["steps"]
    assert (left["help"], left["tables"], left["problems"], left["documents"]) == (False, False, [], {})
    assert "habit" not in left["snapshot"]
    assert (left["counts"], left["explained"], left["chapter"]) == ([], None, False)
    assert not {"everybody", "frequent"} & {*left["audiences"]}

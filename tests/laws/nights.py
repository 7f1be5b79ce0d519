"""A project with Monday done and Tuesday's files there, and runs of it that a kill ends."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

from laws.history import line, random_lines
from support.projects import TestProject, delta_store
from support.sessions import BRIEF, to_yaml

TESTS = Path(__file__).parents[1]
MONDAY, TUESDAY, NOW = "2026-03-09", "2026-03-10", "2026-03-10T23:00:00+00:00"
AGAIN = "again"
REFERENCE = ("reference",)
INGEST = ("ingest", "activity")
# A process of its own needs what the session of the suite has.
TINY = to_yaml(BRIEF)
# What tells one run from another, or one disk from another.
OF_THE_RUN = {
    "ingest_ledger": ["table_versions"],
    "runs": ["run_id", "table_versions", "seconds", "bytes_written"],
    "snapshots": ["run_id"],
    # Taking back what a killed run told is a commit of its own.
    "identity_changes": ["journal_version"],
}


def monday():
    return random_lines(3, date(2025, 9, 1), date(2026, 3, 9), cards=6, lines=40)


def tuesday():
    """New, late, corrected, moved and deleted lines, and one that is rejected."""
    return [
        line("t1", "c0", "2026-03-10", "15.00"),
        line("t2", "c1", "2026-01-15", "15.00"),
        line("r3-1", "c1", "2026-03-08", "77.00", version=2),
        line("r3-2", "c2", "2026-03-07", "77.00", version=2),
        line("r3-3", "c3", "2026-03-07", deleted=True, version=2),
        line("t3", "c0", "2099-01-01"),
    ]


def copied(project, name):
    """The same project with a copy of its tables; the landing folder stays where it is."""
    folder = project.folder.with_name(name)
    main = (project.folder / "main.yaml").read_text().replace(f"{project.folder}/tables", f"{folder}/tables")
    shutil.copytree(
        project.folder, folder, ignore=shutil.ignore_patterns("main.yaml", "landing"), dirs_exist_ok=True
    )
    (folder / "main.yaml").write_text(main)
    store = delta_store(project.project.store.spark, folder)
    return TestProject(folder, replace(project.project, store=store))


def killed(project, commit, steps):
    """The return code of a run that dies after a commit."""
    command = [
        sys.executable,
        "-m",
        "support.killed",
        str(commit),
        "run",
        "--conf",
        str(project.folder / "main.yaml"),
    ]
    command += ["--as-of", TUESDAY, "--now", NOW, "--run-id", AGAIN, "--steps", ",".join(steps)]
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent / "lib")])
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode

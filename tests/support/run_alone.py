"""Runs of a project in a process of its own, with the Spark session that the project asks for.

    python -m support.run_alone MAIN '[{"as_of": "2026-02-28", "steps": [...], "run_id": "..."}]'

The session of the suite has one core and interprets expressions, which rows by the million should not wait for.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

TESTS = Path(__file__).parents[1]


def run_alone(main: Path, *runs: Mapping[str, object]) -> None:
    """Make the runs, whose keys are the arguments of `TestProject.run`, in one session."""
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent / "lib")])
    command = [sys.executable, "-m", "support.run_alone", str(main), json.dumps(runs)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-8000:]}"


def main(path: Path, runs: Sequence[Mapping[str, object]]) -> None:
    """Open the project and make the runs."""
    from lifestage.project.opening import open_project
    from support.projects import TestProject

    project = TestProject(path.parent, open_project(path))
    for run in runs:
        project.run(**run)
    project.project.store.spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))

"""How many SQL executions a daily run makes beside the queries of its steps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.counted import bookkeeping, executions

TESTS = Path(__file__).parents[2]
MOST = 30


@pytest.mark.slow
def test_a_daily_run_needs_few_executions_besides_its_own_queries(tmp_path):
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent / "lib")])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-m", "support.counted", str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = executions(tmp_path)
    counts = bookkeeping(made)
    assert counts.total() <= MOST, f"{dict(counts)} of {len(made)}"
    # The first change of an identity creates its journal. Nothing that exists is created again.
    assert counts["create"] == 1
    # Logs below a local root are read from their files.
    assert counts["log read"] == 0

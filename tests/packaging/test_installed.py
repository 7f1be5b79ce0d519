"""`pip install .` into an empty environment gives a command that works without this repository."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lifestage import __version__
from lifestage.cli.init import next_commands

ROOT = Path(__file__).parents[2]
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
# Nothing of this checkout may help.
OF_THE_CHECKOUT = ("LIFESTAGE", "PYTHON", "PYSPARK", "SPARK", "VIRTUAL_ENV")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of the programs of a new environment with lifestage, at the versions that are tested here."""
    home = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
    python = home / "venv" / "bin" / "python"
    temporary = home / "tmp"  # pyspark unpacks to a gigabyte
    temporary.mkdir()
    constraints = home / "constraints.txt"
    frozen = subprocess.run(
        [sys.executable, *PIP, "freeze", "--exclude-editable"],
        check=True,
        capture_output=True,
        text=True,
    )
    constraints.write_text(frozen.stdout)
    subprocess.run(
        [python, *PIP, "install", "--quiet", "--no-compile", "--constraint", constraints, ROOT],
        check=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    return python.parent


@pytest.fixture
def call(installed, tmp_path):
    """Runs the installed command in a folder of its own, with a cache of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_CHECKOUT)}
    environment |= {
        "PATH": f"{installed}{os.pathsep}{os.defpath}",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }

    def run(command: str, folder: Path = tmp_path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command.split(),
            check=False,
            capture_output=True,
            text=True,
            cwd=folder,
            env={**environment, **more},
        )

    return run


def test_the_sample_project_runs_where_nothing_else_is(call, tmp_path):
    assert call("lifestage --version").stdout == f"lifestage {__version__}\n"
    assert call("lifestage init shop").returncode == 0
    shop = tmp_path / "shop"
    for command in (command for command in next_commands(shop) if command.startswith("lifestage ")):
        done = call(command, shop)
        assert done.returncode == 0, done.stderr
        # Delta is fetched by the first start; neither that nor Java is worth a line.
        assert done.stderr == ""
    assert list(tmp_path.glob("cache/lifestage/ivy/cache/io.delta/*/jars/delta-*.jar"))


def test_where_delta_cannot_be_fetched_the_message_says_how_to_bring_it(call, tmp_path):
    call("lifestage init shop")
    nowhere = {"DEFAULT_ARTIFACT_REPOSITORY": "file:///nowhere/"}
    done = call("lifestage run --as-of 2026-03-31", tmp_path / "shop", **nowhere)
    assert done.returncode == 1
    assert "LIFESTAGE_JARS" in done.stderr.splitlines()[-1]

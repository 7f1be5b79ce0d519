"""The demo's year, laid out once and built once, for every test that asks it something."""

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from lifestage.project.opening import open_project
from support.projects import ALL_STEPS, TestProject
from support.run_alone import run_alone

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "demo_landing.py"
NOW = datetime(2018, 1, 1, 11, tzinfo=UTC).isoformat()
# The end of a quarter, on which the segment model is trained, and the date that is asked about.
AS_OF_DATES = "2017-09-30,2017-11-30"


@pytest.fixture(scope="session")
def script() -> ModuleType:
    """The module that lays the files out."""
    spec = importlib.util.spec_from_file_location("demo_landing", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def landing(script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole year."""
    out = tmp_path_factory.mktemp("demo") / "landing"
    script.lay_out(out)
    return out


@pytest.fixture(scope="session")
def demo(spark_session, landing: Path) -> Iterator[TestProject]:
    """The demo's own configuration beside the year's files: all ingested in one run, then two dates built and published."""
    folder = landing.parent
    shutil.copytree(ROOT / "conf" / "demo", folder, dirs_exist_ok=True)
    main = folder / "demo.yaml"
    main.write_text(main.read_text(encoding="utf-8").replace("out/demo", str(folder)), encoding="utf-8")
    run_alone(
        main,
        {"as_of": "2017-12-31", "now": NOW, "steps": ("reference", "ingest", "activity"), "run_id": "year"},
        {
            "as_of": AS_OF_DATES,
            "now": NOW,
            "steps": ALL_STEPS[ALL_STEPS.index("identity") :],
            "run_id": "dates",
        },
    )
    yield TestProject(folder, open_project(main, spark_session))
    shutil.rmtree(folder)

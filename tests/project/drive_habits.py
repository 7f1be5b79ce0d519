"""Ask everything that loops over the map whether it knows the domain of habits; prints the answers as JSON.

python drive_habits.py FOLDER      the folder of a project whose main file is main.yaml
"""

import contextlib
import io
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from typer.testing import CliRunner

from documents import generated
from lifestage.cli import app
from lifestage.platform.errors import ConfigError
from lifestage.project.loader import load_config
from lifestage.project.opening import Request, open_project
from lifestage.project.pipeline import STEPS
from lifestage.project.runner import execute
from lifestage.services.explain import explain
from lifestage.services.readers import read_table

DAY = date(2026, 2, 28)
MANY_DAYS = 91


def problems(folder: Path) -> list[str]:
    """What validation says of a habits.yaml that asks for too much."""
    file = folder / "habits.yaml"
    file.write_text(f"frequent_days: {MANY_DAYS}\n")
    try:
        load_config(folder / "main.yaml")
    except ConfigError as error:
        return [problem.rpartition("/")[2] for problem in error.problems]
    finally:
        file.unlink()
    return []


def documents() -> dict[str, bool]:
    """Which generated documents name the domain."""
    readme = "<!-- map: written by scripts/docs --><!-- map ends -->"
    return {path: "habit" in text for path, text in generated(readme).items() if "habit" in text}


def answers(folder: Path) -> dict[str, object]:
    """One run, and what it left."""
    conf = str(folder / "main.yaml")
    found: dict[str, object] = {
        "steps": [*STEPS],
        "help": "habits" in CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "300"}).output,
        "tables": "user_habits" in CliRunner().invoke(app, ["tables", "--conf", conf, "--json"]).output,
        "problems": problems(folder),
        "documents": documents(),
    }
    project = open_project(Path(conf))
    now = datetime(2026, 3, 1, 6, tzinfo=UTC)
    request = Request("habits", (DAY,), now, now, tuple(STEPS))
    execute(project, request, lambda *_: None)
    snapshot = read_table(project, "snapshot_users")
    manifest = read_table(project, "snapshots").collect()[0]
    user_id = snapshot.orderBy("user_id").collect()[0]["user_id"]
    found |= {
        "snapshot": snapshot.columns,
        "counts": sorted(name for name in manifest["counts"] if name.startswith("habit:")),
        "audiences": sorted(
            row["audience"]
            for row in read_table(project, "user_audiences").select("audience").distinct().collect()
        ),
        "explained": explain(project, user_id).get("habit"),
        "chapter": '<section id="habits"' in Path(folder / "report.html").read_text(),
    }
    return found


if __name__ == "__main__":
    root = Path(sys.argv[1])
    with contextlib.redirect_stdout(io.StringIO()):
        result = answers(root)
    sys.stdout.write(json.dumps(result) + "\n")

"""Simulated worlds as readers see them: frames of their files, without duplicate and broken rows."""

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from lifestage.simulate.simulation import simulate
from lifestage.simulate.world import Case, make_world

SIZE = {"n_people": 6_000, "n_days": 180, "seed": 11, "events_per_person": 60.0}


@cache
def simulate_once(*without: Case) -> Path:
    """Return the folder of a world that is simulated once."""
    folder = Path(mkdtemp()) / "world"
    simulate(make_world(**SIZE, without=without), folder)
    return folder


@cache
def read(folder: Path, system: str) -> pd.DataFrame:
    """Return all readable rows of a system."""
    files = sorted((folder / system).iterdir())
    if files[0].suffix == ".csv":
        header = files[0].read_text().splitlines()[0].split(",")
        lines = [line for file in files for line in file.read_text().splitlines()[1:]]
        rows = [line.split(",") for line in lines if '"' not in line]
        return pd.DataFrame(
            [row for row in rows if len(row) == len(header)], columns=header
        ).drop_duplicates()
    found = {}
    for line in (line for file in files for line in file.read_text().splitlines()):
        try:
            found[line] = json.loads(line)
        except ValueError:
            continue
    return pd.DataFrame(found.values())


@cache
def truth(folder: Path, table: str) -> pd.DataFrame:
    """Return a table of the truth."""
    return pd.read_csv(
        folder / "truth" / f"{table}.csv", dtype={"person": str, "friend_of": str, "value": str}
    )


def people_by(folder: Path, kind: str) -> pd.Series:
    """Map each identifier of a type to its person."""
    identifiers = truth(folder, "identifiers")
    of_kind = identifiers[(identifiers["type"] == kind) & ~identifiers["is_shared"]]
    return of_kind.set_index("value")["person"]

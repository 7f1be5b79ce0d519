"""A driver program: tell where the workers find lifestage, then make the runs that the arguments ask for.

python driver.py PROJECT_FOLDER '[{"as_of": "2026-02-28", "steps": [...], "run_id": "..."}]'
"""

import json
import sys
from pathlib import Path

from lifestage.project.opening import open_project
from support.projects import TestProject


def origins(batches):
    """One row a task: the file that lifestage is imported from."""
    import pandas as pd

    import lifestage

    for _ in batches:
        yield pd.DataFrame({"origin": [lifestage.__file__]})


def main(folder: str, runs: str) -> None:
    project = TestProject(Path(folder), open_project(Path(folder) / "main.yaml"))
    spark = project.project.store.spark
    found = spark.range(0, 4, numPartitions=4).mapInPandas(origins, "origin string").collect()
    for run in json.loads(runs):
        if file := run.pop("lands", None):
            (project.folder / "later" / file).rename(project.folder / "landing" / file)
        project.run(**run)
    told = {"master": spark.sparkContext.master, "origins": [row["origin"] for row in found]}
    sys.stdout.write(json.dumps(told) + "\n")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Two runs of a small project in a session with Spark's event log, and what its executions were.

    python -m support.counted FOLDER

Makes the project in FOLDER and writes the event log to FOLDER/events. A second run of all steps on a day with files for
every source is the daily run; a marker execution stands before it. The event log can only be turned on when a session
starts, so this runs in a process of its own.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from support.projects import MEMBERS
from support.sessions import BRIEF

MARKER = "the daily run begins"
SETTINGS = BRIEF | {
    "spark.eventLog.enabled": "true",
    "spark.eventLog.rolling.enabled": "false",
    "spark.eventLog.compress": "false",
}
START = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart"

Execution = Mapping[str, Any]


def executions(folder: Path) -> list[Execution]:
    """The SQL executions of the daily run, in the order in which they started."""
    (log,) = [file for file in (folder / "events").iterdir() if not file.name.startswith(".")]
    lines = [line for line in log.read_text().splitlines() if START in line]
    started = [json.loads(line) for line in lines]
    begins = next(n for n, each in enumerate(started) if each["description"] == MARKER)
    return started[begins + 1 :]


def bookkeeping(all_executions: list[Execution]) -> Counter[str]:
    """Executions that are no query of a step, by what they are.

    A query of a step reads or writes rows. What Delta executes for it belongs to it: executions nested in it, and the
    lists of files that Delta makes while Spark plans a frame that a step persists, which is no execution itself.
    """
    return Counter(kind for each in all_executions if (kind := _kind(each)))


def _kind(execution: Execution) -> str | None:
    if execution["executionId"] != execution["rootExecutionId"]:
        return None
    description, plan = execution["description"], execution["physicalPlanDescription"]
    if description.startswith("getHistory"):
        return "log read"
    if "operationMetrics" in plan or "userMetadata" in plan:
        return "log collected"
    if "DeltaTableBuilder" in description:
        return "create"
    if (
        "DescribeDeltaDetail" in plan
        or "clusteringColumns" in plan
        or description.startswith("toDataset$ at DeltaTable")
    ):
        return "detail"
    if "/run_lock" in plan:
        return "lock"
    return None


def _deliveries() -> Iterator[tuple[str, Mapping[str, str], list[Mapping[str, object]]]]:
    """Days with the files of every source."""
    from laws.history import line, random_lines

    web, members = "visit,at,kind,cookie,member\n", "number,since\n"
    yield (
        "2026-03-09",
        {
            "web": web + "v1,2026-03-09T12:00:00Z,page_view,k1,c1\nv2,2026-03-09T12:00:00Z,page_view,k2,\n",
            "members": members + "c1,2020-01-01\nc2,2020-01-01\nc3,2020-01-01\nc4,2020-01-01\n",
        },
        random_lines(3, date(2025, 9, 1), date(2026, 3, 9), cards=6, lines=40),
    )
    yield (
        "2026-03-10",
        {
            "web": web + "w1,2026-03-10T12:00:00Z,page_view,k2,c2\nw2,2026-03-10T12:00:00Z,page_view,k4,\n",
            "members": members
            + "c1,2020-01-02\nc2,2020-01-01\nc3,2020-01-01\nc4,2021-01-01\nc5,2021-01-01\n",
        },
        [
            line("t1", "c0", "2026-03-10", "15.00"),
            line("t2", "c1", "2026-01-15", "15.00"),
            line("r3-1", "c1", "2026-03-08", "77.00", version=2),
            line("r3-3", "c3", "2026-03-07", deleted=True, version=2),
            line("t3", "c0", "2099-01-01"),
        ],
    )


def main(folder: Path) -> None:
    """Make the project and both runs."""
    from lifestage.platform.runtime.session import build_session
    from lifestage.project.pipeline import STEPS
    from support.projects import delta_store, make_project
    from support.scenarios import HISTORY, MAIN, SOURCES

    (folder / "events").mkdir(parents=True)
    spark = build_session("counted", {**SETTINGS, "spark.eventLog.dir": f"file://{folder}/events"})
    sources = {**SOURCES, "reference/members": MEMBERS}
    store = delta_store(spark, folder / "project")
    test = make_project(spark, folder / "project", sources, MAIN.replace(*HISTORY), store)
    for n, (day, files, lines) in enumerate(_deliveries()):
        if n:
            spark.sparkContext.setJobDescription(MARKER)
            spark.range(1).collect()
            spark.sparkContext.setJobDescription(None)
        test.deliver(f"{day}.csv", lines)
        for source, text in files.items():
            test.write(f"{source}/{day}.csv", text)
        test.run(day, steps=tuple(STEPS))
    spark.stop()


if __name__ == "__main__":
    os.environ.setdefault("LIFESTAGE_PSEUDONYM_KEY", "11" * 32)
    os.environ.setdefault("LIFESTAGE_QUARANTINE_KEY", "22" * 32)
    main(Path(sys.argv[1]))

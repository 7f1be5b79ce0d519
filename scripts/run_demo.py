"""The demo's main job, in one session: ingest up to 28 December, eleven month-ends, three daily runs, a report."""

import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from demo_landing import lay_out
from lifestage import runner
from lifestage.core.as_of_dates import Every, dates_between
from lifestage.pipeline import BY_NAME

OUT = Path("out/demo")
CONF = Path("conf/demo/demo.yaml")
ZONE = ZoneInfo("America/New_York")
BULK_UNTIL = date(2017, 12, 28)
DAILY = [date(2017, 12, 29), date(2017, 12, 30), date(2017, 12, 31)]
T = TypeVar("T")
console = Console(highlight=False)


def main() -> None:
    """Start from an empty folder; end with a table of what there is and the report's path."""
    started = time.monotonic()
    shutil.rmtree(OUT, ignore_errors=True)
    seconds: dict[str, float] = {}
    # The files are made in Python while the session starts its JVM.
    with ThreadPoolExecutor(1) as pool:
        landing = "landing files up to 28 December"
        files = pool.submit(timed, landing, seconds, lambda: lay_out(OUT / "landing", until=BULK_UNTIL))
        project = timed("configuration and Spark session", seconds, lambda: runner.open_project(CONF))
        files.result()
    bulk = morning_after(BULK_UNTIL)
    run(project, "ingest", (BULK_UNTIL,), bulk, ("reference", "ingest"), seconds)
    months = tuple(dates_between(date(2017, 1, 1), date(2017, 11, 30), Every.MONTH))
    run(project, "backfill", months, bulk, without_report(runner.BACKFILL_STEPS), seconds)
    for day in DAILY:
        lay_out(OUT / "landing", since=day, until=day)
        steps = tuple(BY_NAME) if day == DAILY[-1] else without_report(BY_NAME)
        run(project, f"daily-{day}", (day,), morning_after(day), steps, seconds)
    summary(project, seconds, time.monotonic() - started)


def without_report(steps: Iterable[str]) -> tuple[str, ...]:
    """The steps of a run that another one follows at once: it would write over the report."""
    return tuple(step for step in steps if step != "report")


def timed(name: str, seconds: dict[str, float], work: Callable[[], T]) -> T:
    """Do the work, note and show its seconds."""
    started = time.monotonic()
    result = work()
    seconds[name] = time.monotonic() - started
    console.print(f"{name:<40} {seconds[name]:6.1f} s")
    return result


def run(
    project: runner.Project,
    name: str,
    dates: tuple[date, ...],
    now: datetime,
    steps: tuple[str, ...],
    seconds: dict[str, float],
) -> None:
    """One run, with its progress."""
    console.print(
        f"[bold]{name}[/bold]: as of {dates[-1]}"
        + (f" and {len(dates) - 1} dates before" if dates[1:] else "")
    )
    request = runner.Request(f"demo-{name}", dates, now, datetime.now(ZONE), steps)

    def show(step: str, taken: float, n_rows: int) -> None:
        seconds[step] = seconds.get(step, 0.0) + taken
        console.print(f"  {step:<12} {taken:6.1f} s {n_rows:>12,} rows")

    runner.execute(project, request, show)


def morning_after(day: date) -> datetime:
    """06:00 business time of the next day."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), ZONE).replace(hour=6)


def summary(project: runner.Project, seconds: dict[str, float], total: float) -> None:
    """Stages, segments, checks and seconds, and where the report is."""
    newest = project.store.read(project.tables["snapshots"]).orderBy(F.col("as_of").desc()).first()
    assert newest is not None
    grid = Table(
        "stage",
        "users",
        "segment",
        "users ",
        "check",
        "",
        box=None,
        title=f"snapshot {newest['snapshot_id']}",
    )
    counts = {kind: sorted_counts(newest["counts"], kind) for kind in ("stage", "segment")}
    checks = [(check["name"], "passed" if check["passed"] else "failed") for check in newest["checks"]]
    for number in range(max(len(counts["stage"]), len(counts["segment"]), len(checks))):
        cells = [items[number] if number < len(items) else ("", "") for items in (*counts.values(), checks)]
        grid.add_row(*[text for cell in cells for text in cell])
    console.print(grid)
    steps = ", ".join(f"{name} {taken:.0f}" for name, taken in seconds.items() if name in BY_NAME)
    console.print(f"seconds a step, all runs: {steps}")
    console.print(f"{total:.0f} s in all; report: {Path(project.config.report.path).resolve()}")


def sorted_counts(counts: dict[str, int], kind: str) -> list[tuple[str, str]]:
    """Names and users of one kind, largest first."""
    mine = [(name.partition(":")[2], n) for name, n in counts.items() if name.startswith(f"{kind}:")]
    return [(name, f"{n:,}") for name, n in sorted(mine, key=lambda item: (-item[1], item[0]))]


if __name__ == "__main__":
    main()

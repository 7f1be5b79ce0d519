"""Run the demo in one session: ingest the history, build past month-ends, then run single days and write a report.

The data is a year of a grocery chain, under out/demo/. With --world, it is half a year of a simulated retailer, under
out/world/.
"""

import argparse
import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from demo_landing import lay_out
from lifestage.activation.report.config import ReportSettings
from lifestage.platform.as_of_dates import Interval, dates_between
from lifestage.project.opening import Project, Request, open_project
from lifestage.project.pipeline import BACKFILL_STEPS, STEPS
from lifestage.project.runner import execute
from lifestage.simulate.simulation import simulate
from lifestage.simulate.world import ZONE as WORLD_ZONE
from lifestage.simulate.world import make_world

T = TypeVar("T")
console = Console(highlight=False)


@dataclass(frozen=True)
class Demo:
    """A project, the function that delivers its files, and the dates to build."""

    out: Path
    conf: Path
    zone: ZoneInfo
    deliver: Callable[[Path, date | None, date], object]
    """Puts the files of a range of business dates below the folder `out`. None as first date means the whole history."""
    months: tuple[date, ...]
    bulk_until: date
    n_daily: int

    @property
    def daily(self) -> list[date]:
        """The days after the history, each with a run of its own."""
        return [self.bulk_until + timedelta(days=1 + n) for n in range(self.n_daily)]


def deliver_complete_journey(out: Path, since: date | None, until: date) -> None:
    """Write the files of Complete Journey."""
    lay_out(out / "landing", since, until)


def deliver_world(out: Path, since: date | None, until: date) -> None:
    """Move the files of the simulated retailer up to a date. The first call simulates them, always with the same result."""
    made = out / "made"
    if since is None:
        simulate(make_world(20_000, seed=7, events_per_person=30.0), made)
    for file in made.glob("*/*_????-??-??.*"):
        if date.fromisoformat(file.stem[-10:]) <= until:
            landed = out / "landing" / file.relative_to(made)
            landed.parent.mkdir(parents=True, exist_ok=True)
            file.rename(landed)


REAL = Demo(
    out=Path("out/demo"),
    conf=Path("conf/demo/demo.yaml"),
    zone=ZoneInfo("America/New_York"),
    deliver=deliver_complete_journey,
    months=tuple(dates_between(date(2017, 1, 1), date(2017, 11, 30), Interval.MONTH)),
    bulk_until=date(2017, 12, 28),
    n_daily=3,
)
WORLD = Demo(
    out=Path("out/world"),
    conf=Path("conf/world/world.yaml"),
    zone=WORLD_ZONE,
    deliver=deliver_world,
    # The first one is a training date of the segment model.
    months=(date(2026, 3, 31), date(2026, 5, 31)),
    bulk_until=date(2026, 6, 28),
    n_daily=1,
)


def main() -> None:
    """Start from an empty folder, run everything, and print a summary and the path of the report."""
    started = time.monotonic()
    parser = argparse.ArgumentParser(description="Run all steps, from raw files to a report.")
    parser.add_argument(
        "--world", action="store_true", help="use a simulated retailer instead of the grocery chain"
    )
    demo = WORLD if parser.parse_args().world else REAL
    shutil.rmtree(demo.out, ignore_errors=True)
    seconds: dict[str, float] = {}
    # Write the files in Python while the session starts its JVM.
    with ThreadPoolExecutor(1) as pool:
        landing = f"landing files up to {demo.bulk_until:%-d %B}"
        files = pool.submit(measure, landing, seconds, lambda: demo.deliver(demo.out, None, demo.bulk_until))
        project = measure("configuration and Spark session", seconds, lambda: open_project(demo.conf))
        files.result()
    bulk = morning_after(demo.bulk_until, demo.zone)
    run(project, "ingest", (demo.bulk_until,), bulk, ("reference", "ingest"), seconds)
    run(project, "backfill", demo.months, bulk, without_report(BACKFILL_STEPS), seconds)
    for day in demo.daily:
        demo.deliver(demo.out, day, day)
        steps = tuple(STEPS) if day == demo.daily[-1] else without_report(STEPS)
        run(project, f"daily-{day}", (day,), morning_after(day, demo.zone), steps, seconds)
    print_summary(project, seconds, time.monotonic() - started)


def without_report(steps: Iterable[str]) -> tuple[str, ...]:
    """Omit the report from a run, because the next run would overwrite it at once."""
    return tuple(step for step in steps if step != "report")


def measure(name: str, seconds: dict[str, float], work: Callable[[], T]) -> T:
    """Do the work, and record and print its seconds."""
    started = time.monotonic()
    result = work()
    seconds[name] = time.monotonic() - started
    console.print(f"{name:<40} {seconds[name]:6.1f} s")
    return result


def run(
    project: Project,
    name: str,
    dates: tuple[date, ...],
    now: datetime,
    steps: tuple[str, ...],
    seconds: dict[str, float],
) -> None:
    """Run the steps once, and print the progress."""
    console.print(
        f"[bold]{name}[/bold]: as of {dates[-1]}"
        + (f" and {len(dates) - 1} dates before" if dates[1:] else "")
    )
    request = Request(f"demo-{name}", dates, now, datetime.now(now.tzinfo), steps)

    def show(step: str, taken: float, n_rows: int) -> None:
        seconds[step] = seconds.get(step, 0.0) + taken
        console.print(f"  {step:<12} {taken:6.1f} s {n_rows:>12,} rows")

    execute(project, request, show)


def morning_after(day: date, zone: ZoneInfo) -> datetime:
    """06:00 business time of the next day."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), zone).replace(hour=6)


def print_summary(project: Project, seconds: dict[str, float], total: float) -> None:
    """Print stages, segments, checks and seconds, and the path of the report."""
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
    steps = ", ".join(f"{name} {taken:.0f}" for name, taken in seconds.items() if name in STEPS)
    console.print(f"seconds per step, all runs: {steps}")
    console.print(f"{total:.0f} s in total; report: {Path(project.config.of(ReportSettings).path).resolve()}")


def sorted_counts(counts: dict[str, int], kind: str) -> list[tuple[str, str]]:
    """The groups of one kind with their users, largest first."""
    mine = [(name.partition(":")[2], n) for name, n in counts.items() if name.startswith(f"{kind}:")]
    return [(name, f"{n:,}") for name, n in sorted(mine, key=lambda item: (-item[1], item[0]))]


if __name__ == "__main__":
    main()

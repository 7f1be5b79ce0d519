"""Measure the steps of the full build, of nights, and of a backfill."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from time import monotonic
from typing import Any

import duckdb

from benchmark.events import write_events
from benchmark.figures import FIGURES, say
from benchmark.sizes import OUT, Size
from benchmark.usage import Meter, list_files
from lifestage.project.opening import Project, Request, open_project
from lifestage.project.pipeline import BACKFILL_STEPS, STEPS, expand, groups
from lifestage.project.runner import execute
from lifestage.services.backfill import make_backfill_request

N_REPEATS = 3
N_MONTHS = 12
MEASURED = tuple(name for name in STEPS if name not in ("reference", "report"))

MAIN = """
storage: {{root: {root}}}
landing: {folder}/landing
business: {{name: Benchmark, time_zone: UTC, history_starts_on: {first_day}, left_censor_margin_days: 30}}
report: {{path: {folder}/report.html}}
"""

SOURCE = """
path: events/events_*.parquet
format: parquet
columns: {event_no: bigint, event_at: timestamp, kind: string, member: string, channel: string, product: string,
          category: string, quantity: bigint, amount: "decimal(18,2)", starts_session: boolean}
key: [event_no]
map: {event_type: kind, event_at: event_at, channel: channel, product_id: product, category: category, quantity: quantity,
      amount: amount, starts_session: starts_session}
identifiers: {member: member}
identifier: required
"""


def lay_out_project(size: Size) -> None:
    """Write a new project and its files. Of other projects, only the figures stay."""
    for path in OUT.glob("*/*"):
        if path.name != FIGURES or path.parent == size.folder:
            rmtree(path) if path.is_dir() else path.unlink()
    folder = size.folder
    write_events(size, folder / "landing" / "events", folder / "later")
    (folder / "sources").mkdir()
    (folder / "sources" / "events.yaml").write_text(SOURCE)
    (folder / "segments.yaml").write_text(f"training: {{every: null, dates: [{size.built_on}]}}\n")
    write_main_file(size, "main.yaml", "tables")


def write_main_file(size: Size, name: str, root: str) -> Path:
    """Write a main file of the project, with its tables in the folder `root`."""
    path = size.folder / name
    # Absolute, because the JVM may have started in another folder.
    folder = size.folder.resolve()
    path.write_text(MAIN.format(root=folder / root, folder=folder, first_day=size.dates[0]))
    return path


def open_and_measure(size: Size, measure: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Start a session, and measure with it. Returns the seconds until it was ready, and the figures."""
    started = monotonic()
    project = open_project(size.folder / "main.yaml")
    seconds = round(monotonic() - started, 1)
    return seconds, measure(project, size, *arguments)


def measure_build(project: Project, size: Size) -> dict[str, Any]:
    """Measure a run of all days before the nights."""
    return measure_run(project, nightly_request(size.built_on), size)


def measure_nights(project: Project, size: Size, nights: Sequence[date]) -> list[dict[str, Any]]:
    """Measure a run for each of some days. In a new session, the first has a cold JVM."""
    runs = []
    for night in nights:
        waiting = size.folder / "later" / f"events_{night}.parquet"
        if not waiting.exists():
            raise SystemExit(f"{night} is already loaded: measure `build` again first")
        delivered = waiting.rename(size.folder / "landing" / "events" / waiting.name)
        run = measure_run(project, nightly_request(night), size)
        ((n_events, n_users),) = duckdb.execute(
            f"SELECT count(*), count(DISTINCT member) FROM '{delivered}'"
        ).fetchall()
        runs.append({**run, "events": n_events, "touched_users": n_users})
    return runs


def measure_months(project: Project, size: Size) -> dict[str, list[dict[str, Any]]]:
    """Measure backfills of the last month-end and of the last twelve, in turn."""
    ends = [day for day in size.dates if (day + timedelta(days=1)).day == 1 and day <= size.built_on]
    if len(ends) < N_MONTHS:
        raise SystemExit(f"months: {size.days} days have {len(ends)} month-ends, expected {N_MONTHS}")
    measured: dict[str, list[dict[str, Any]]] = {"one": [], "twelve": []}
    for number in range(N_REPEATS):
        for name, dates in (("one", ends[-1:]), ("twelve", ends[-N_MONTHS:])):
            request = make_backfill_request(tuple(dates), _morning_after(size.dates[-1]), f"{name}-{number}")
            steps = tuple(step for step in BACKFILL_STEPS if step in MEASURED)
            measured[name].append(measure_run(project, replace(request, steps=steps), size))
    return measured


def measure_run(project: Project, request: Request, size: Size) -> dict[str, Any]:
    """Measure one run: seconds, CPU seconds, peak memory, and bytes of the new files; in all, and by steps."""
    root = Path(project.config.shared.storage.root or "")
    before = list_files(root)
    ends: dict[str, float] = {}

    def note(step: str, seconds: float, _rows: int) -> None:
        ends[step] = monotonic()
        say(f"  {step:<12} {seconds:8.1f} s")

    say(f"{size.folder.name}: as of {request.as_of_dates[-1]}")
    with Meter() as meter:
        started = monotonic()
        execute(project, request, note)
        ended = monotonic()
    written: Counter[str] = Counter()
    for path, n_bytes in list_files(root).items():
        if path not in before:
            written[Path(path).parts[0]] += n_bytes
    steps = []
    # The steps of a group run at the same time, so only their seconds can be told apart.
    for names in [[step.name for step in group if step.name in ends] for group in groups()]:
        if names:
            start = min(ends[name] - request.seconds[name] for name in names)
            used = meter.between(start, max(ends[name] for name in names))
            tables = {table for name in names for table in expand(STEPS[name].writes, project.references)}
            n_bytes = sum(written[table] for table in tables)
            seconds = {name: request.seconds[name] for name in names}
            steps.append({"steps": names, **used, "bytes": n_bytes, "seconds_of": seconds})
    return {**meter.between(started, ended), "bytes": written.total(), "steps": steps}


def nightly_request(as_of: date, steps: Sequence[str] = MEASURED) -> Request:
    """A run of one date, on the morning after it."""
    return Request(f"bench-{as_of}", (as_of,), _morning_after(as_of), datetime.now(UTC), tuple(steps))


def _morning_after(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 6, tzinfo=UTC) + timedelta(days=1)

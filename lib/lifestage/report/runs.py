"""What the page says about the run: its checks, its steps, the versions it wrote."""

from collections.abc import Sequence

from lifestage.report.charts import bars_chart
from lifestage.report.content import CompletedRun, ReportData, Snapshot
from lifestage.report.grids import Cell, Chart, Grid, Look, Section, filled, number, plural, text, verdict


def checks_section(data: ReportData) -> Section:
    """The checks of the newest snapshot."""
    definition = "What had to hold before the snapshot became the one that readers see."
    if not data.snapshots:
        return Section(
            "checks", "Checks", definition, (f"No snapshot of {data.header.as_of} has been published.",)
        )
    newest = data.snapshots[0]
    if not newest.checks:
        return Section("checks", "Checks", definition, (f"Snapshot {newest.snapshot_id} names no check.",))
    failed_first = sorted(newest.checks, key=lambda check: check.passed)
    rows = tuple((text(check.name), verdict(check.passed), text(check.detail)) for check in failed_first)
    grid = Grid(f"Checks of snapshot {newest.snapshot_id}", ("Check", "Result", "What it saw"), rows)
    return Section("checks", "Checks", definition, grids=(grid,))


def run_section(data: ReportData) -> Section:
    """Seconds per step, snapshots, table versions and the runs before."""
    definition = "Wall seconds of each step, and the version of every table that the run wrote."
    mine = next((run for run in data.runs if run.run_id == data.header.run_id), None)
    shown = mine or (data.runs[0] if data.runs else None)
    charts = (_seconds_chart(shown),) if shown and shown.seconds else ()
    seconds = (_seconds_grid(shown),) if shown else ()
    folded = (*seconds, _version_grid(data, shown), _snapshot_grid(data.snapshots), _run_grid(data.runs))
    return Section("run", "What ran", definition, _run_notes(mine, shown), charts, folded=filled(folded))


def _run_notes(mine: CompletedRun | None, shown: CompletedRun | None) -> tuple[str, ...]:
    if shown is None:
        return ("No run has been completed before this one, so there are no seconds to show yet.",)
    total = f"{sum(shown.seconds.values()):,.0f} seconds in {plural(len(shown.seconds), 'step')}"
    if mine:
        return (f"Up to this report the run took {total}.",)
    return (
        f"This run was not complete when the report was written; the run completed last, {shown.run_id}, took {total}.",
    )


def _longest_first(run: CompletedRun) -> dict[str, float]:
    return dict(sorted(run.seconds.items(), key=lambda item: (-item[1], item[0])))


def _seconds_chart(run: CompletedRun) -> Chart:
    spec = bars_chart(_longest_first(run), "Step", "Seconds", digits=1)
    return Chart("seconds-chart", f"Seconds by step in run {run.run_id}", spec)


def _seconds_grid(run: CompletedRun) -> Grid:
    rows = tuple((text(step), Cell(f"{n:,.1f}", Look.NUMBER)) for step, n in _longest_first(run).items())
    return Grid(f"Seconds by step in run {run.run_id}", ("Step", "Seconds"), rows)


def _version_grid(data: ReportData, shown: CompletedRun | None) -> Grid:
    written, completed = data.commits, shown.table_versions if shown else {}
    rows = tuple(
        (text(name), text(written.get(name, "")), text(completed.get(name, "")))
        for name in sorted({*written, *completed})
    )
    return Grid("Table versions", ("Table", "Written by this run", "At the last completed run"), rows)


def _run_grid(runs: Sequence[CompletedRun]) -> Grid:
    rows = tuple(
        (
            text(run.run_id),
            text(run.now),
            text(" to ".join(dict.fromkeys(str(d) for d in (*run.as_of_dates[:1], *run.as_of_dates[-1:])))),
            text("" if run.delivery_no is None else run.delivery_no),
            text(", ".join(run.snapshot_ids)),
            Cell(f"{sum(run.seconds.values()):,.1f}", Look.NUMBER),
            text(run.code_version),
        )
        for run in runs
    )
    columns = ("Run", "Now (UTC)", "As of", "Up to delivery", "Snapshots", "Seconds", "Code version")
    return Grid("Completed runs", columns, rows)


def _snapshot_grid(snapshots: Sequence[Snapshot]) -> Grid:
    rows = tuple(
        (
            text(s.snapshot_id),
            number(s.n_users),
            text(f"{sum(c.passed for c in s.checks)} of {len(s.checks)}"),
            text(s.published_at),
            text(s.digest),
        )
        for s in snapshots
    )
    return Grid(
        "Snapshots of this run's dates",
        ("Snapshot", "Users", "Checks passed", "Published (UTC)", "Digest"),
        rows,
    )

"""What the page says about the run: data quality, checks, what ran."""

from collections.abc import Sequence

from lifestage.report.charts import bars_chart
from lifestage.report.content import CompletedRun, Delivery, ReportData, Snapshot
from lifestage.report.grids import Cell, Chart, Grid, Look, Section, number, plural, share, text, verdict

N_CHARTED = 12
N_LISTED = 20
OUTCOMES = {
    "n_rows": "Rows in",
    "n_accepted": "Accepted",
    "n_replaced": "Replaced",
    "n_superseded": "Superseded",
    "n_duplicate": "Duplicates",
    "n_rejected": "Rejected",
    "n_suppressed": "Suppressed",
    "n_late": "Late",
}


def quality_section(data: ReportData) -> Section:
    """What became of the rows of each source, in this run and in all."""
    definition = (
        "What became of every row delivered. Accuracy = rows that pass every rule / rows received, duplicates apart. "
        "Late rows are accepted ones whose day was already final."
    )
    if not data.deliveries:
        return Section("quality", "Data quality", definition, ("Nothing has been delivered yet.",))
    new = [d for d in data.deliveries if d.is_new]
    notes = () if new else ("This run brought no delivery.",)
    reasons = reasons_of(data.deliveries)
    charts = (_reasons_chart(reasons),) if reasons else ()
    notes = notes if reasons else (*notes, "No row was rejected.")
    grids = (
        _source_grid("Delivered in this run", new),
        _source_grid(_span(data.deliveries), data.deliveries),
    )
    folded = (_reason_grid(data.deliveries), _delivery_grid(data.deliveries))
    return Section("quality", "Data quality", definition, notes, charts, _filled(grids), _filled(folded))


def accuracy(deliveries: Sequence[Delivery]) -> tuple[int, int]:
    """Rows that pass every rule, and rows received; duplicates apart."""
    received = sum(d.counts["n_rows"] - d.counts["n_duplicate"] for d in deliveries)
    return received - sum(d.counts["n_rejected"] for d in deliveries), received


def reasons_of(deliveries: Sequence[Delivery]) -> dict[str, int]:
    """Rows per reason for rejection, the most frequent first; a row with two reasons counts in both."""
    totals: dict[str, int] = {}
    for delivery in deliveries:
        for reason, n in delivery.reasons.items():
            totals[reason] = totals.get(reason, 0) + n
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


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
    return Section(
        "run", "What ran", definition, _run_notes(data, mine, shown), charts, folded=_filled(folded)
    )


def _filled(grids: Sequence[Grid]) -> tuple[Grid, ...]:
    return tuple(grid for grid in grids if grid.rows)


def _span(deliveries: Sequence[Delivery]) -> str:
    return f"Delivered so far, deliveries {deliveries[-1].number} to {deliveries[0].number}"


def _reasons_chart(reasons: dict[str, int]) -> Chart:
    most = dict(list(reasons.items())[:N_CHARTED])
    return Chart("reasons-chart", "Rejected rows by reason", bars_chart(most, "Reason", "Rejected rows"))


def _source_grid(caption: str, deliveries: Sequence[Delivery]) -> Grid:
    rows = []
    for source in sorted({d.source for d in deliveries}):
        mine = [d for d in deliveries if d.source == source]
        totals = [number(sum(d.counts[name] for d in mine)) for name in OUTCOMES]
        passed = Cell(share(*accuracy(mine), digits=2), Look.NUMBER)
        rows.append((text(source), number(len(mine)), *totals, passed))
    return Grid(caption, ("Source", "Deliveries", *OUTCOMES.values(), "Accuracy"), tuple(rows))


def _reason_grid(deliveries: Sequence[Delivery]) -> Grid:
    rows = []
    for source in sorted({d.source for d in deliveries}):
        mine = [d for d in deliveries if d.source == source]
        rejected = sum(d.counts["n_rejected"] for d in mine)
        for reason, n in list(reasons_of(mine).items())[:N_CHARTED]:
            rows.append((text(source), text(reason), number(n), Cell(share(n, rejected), Look.NUMBER)))
    return Grid(
        "Rejected rows by source and reason",
        ("Source", "Reason", "Rows", "Of its rejected rows"),
        tuple(rows),
    )


def _delivery_grid(deliveries: Sequence[Delivery]) -> Grid:
    rows = tuple(
        (
            text(d.number),
            text(d.source),
            text(d.kind),
            text(d.path.rsplit("/", 1)[-1]),
            number(d.counts["n_rows"]),
            number(d.counts["n_rejected"]),
            text(d.ingested_at),
        )
        for d in deliveries[:N_LISTED]
    )
    return Grid(
        "Newest deliveries", ("No.", "Source", "Kind", "File", "Rows in", "Rejected", "Read at (UTC)"), rows
    )


def _run_notes(data: ReportData, mine: CompletedRun | None, shown: CompletedRun | None) -> tuple[str, ...]:
    if shown is None:
        return ("No run has been completed before this one, so there are no seconds to show yet.",)
    total = f"{sum(shown.seconds.values()):,.0f} seconds in {plural(len(shown.seconds), 'step')}"
    if mine:
        return (f"This run took {total}.",)
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

"""What the page says about how it was made: definitions in force, steps, versions."""

from collections.abc import Sequence

from lifestage.activation.report.audiences import label
from lifestage.activation.report.content import CompletedRun, ReportData
from lifestage.platform.reporting.charts import Point, bars_chart
from lifestage.platform.reporting.grids import Cell, Chart, Grid, columns, drop_empty, figure, text
from lifestage.platform.reporting.section import Chapter
from lifestage.platform.reporting.words import Words


def made_section(data: ReportData, words: Words) -> Chapter:
    """Rules of stages and audiences, seconds per step, snapshots, table versions and the runs before."""
    mine = next((run for run in data.runs if run.run_id == data.header.run_id), None)
    run = mine or (data.runs[0] if data.runs else None)
    figures = drop_empty(
        _stage_rules(data, words),
        _audience_rules(data, words),
        _seconds_chart(run, words),
        _snapshot_grid(data, words),
        _version_grid(data, run, words),
        _run_grid(data.runs, words),
    )
    return Chapter("made", words("made.title"), words("made.about"), (_note(mine, run, words),), figures)


def _note(mine: CompletedRun | None, run: CompletedRun | None, words: Words) -> str:
    if run is None:
        return words("made.first")
    seconds = words.count(round(sum(run.seconds.values())))
    return words(
        "made.took" if mine else "made.last_took", run=run.run_id, n=len(run.seconds), seconds=seconds
    )


def _stage_rules(data: ReportData, words: Words) -> Grid:
    rows = tuple(
        (text(words.translate(r.stage)), Cell(words.translate(r.description), below=r.when))
        for r in data.rules
    )
    return Grid(words("made.stages"), columns(words, "stage", "rule"), rows, layout="rules", is_folded=True)


def _audience_rules(data: ReportData, words: Words) -> Grid:
    rows = tuple(
        (
            text(label(a.audience, words)),
            Cell(words.translate(a.description), below=data.audience_rules.get(a.audience, "")),
        )
        for a in data.audiences
    )
    return Grid(
        words("made.audiences"), columns(words, "audience", "rule"), rows, layout="rules", is_folded=True
    )


def _seconds_chart(run: CompletedRun | None, words: Words) -> Chart | None:
    if not run or not run.seconds:
        return None
    longest_first = sorted(run.seconds.items(), key=lambda item: (-item[1], item[0]))
    points = [Point(step, "", seconds, words.decimal(seconds, 1)) for step, seconds in longest_first]
    spec = bars_chart(points, words("column.seconds"))
    return Chart("seconds-chart", words("made.seconds", run=run.run_id), words("about.seconds"), spec)


def _snapshot_grid(data: ReportData, words: Words) -> Grid:
    rows = tuple(
        (
            text(s.snapshot_id),
            figure(words.count(s.n_users), not 0 < s.n_users < data.least_users),
            text(words("word.of", part=sum(c.passed for c in s.checks), whole=len(s.checks))),
            text(s.published_at),
            text(s.digest),
        )
        for s in data.snapshots
    )
    heads = columns(words, "snapshot", "users", "checks_passed", "published_at", "digest")
    return Grid(words("made.snapshots"), heads, rows, is_folded=True)


def _version_grid(data: ReportData, run: CompletedRun | None, words: Words) -> Grid:
    written, completed = data.commits, run.table_versions if run else {}
    rows = tuple(
        (text(name), text(written.get(name, "")), text(completed.get(name, "")))
        for name in sorted({*written, *completed})
    )
    return Grid(words("made.versions"), columns(words, "table", "written", "completed"), rows, is_folded=True)


def _run_grid(runs: Sequence[CompletedRun], words: Words) -> Grid:
    rows = tuple(
        (
            text(run.run_id),
            text(run.now),
            text(
                " \N{EN DASH} ".join(
                    dict.fromkeys(words.day(d) for d in (*run.as_of_dates[:1], *run.as_of_dates[-1:]))
                )
            ),
            text("" if run.delivery_no is None else run.delivery_no),
            text(", ".join(run.snapshot_ids)),
            figure(words.decimal(sum(run.seconds.values()), 1)),
            text(run.code_version),
        )
        for run in runs
    )
    heads = columns(words, "run", "now", "as_of", "up_to", "snapshots", "seconds", "code_version")
    return Grid(words("made.runs"), heads, rows, is_folded=True)

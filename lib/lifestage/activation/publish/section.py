"""The section of the report on its making: snapshots with their checks, steps, table versions and runs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from lifestage.platform.reporting.charts import Point, Titles, bars_chart
from lifestage.platform.reporting.disclosure import Disclosure
from lifestage.platform.reporting.grids import (
    Cell,
    Chart,
    Grid,
    Look,
    Tile,
    columns,
    drop_empty,
    figure,
    text,
)
from lifestage.platform.reporting.section import DATA, MADE, Chapter, Section, Sentence, Source, Summary
from lifestage.platform.reporting.words import WITHHELD, Words
from lifestage.platform.result import Check

MAX_RUNS = 10
MANIFEST = ("snapshot_id", "as_of", "revision", "n_users", "digest", "checks")
MINUTE = "yyyy-MM-dd HH:mm"
N_IN_FACTS = 3


@dataclass(frozen=True)
class Snapshot:
    """The newest manifest of one as_of."""

    snapshot_id: str
    as_of: date
    revision: int
    n_users: int
    digest: str
    published_at: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class CompletedRun:
    """One row of `runs`."""

    run_id: str
    now: str
    as_of_dates: tuple[date, ...]
    delivery_no: int | None
    code_version: str
    snapshot_ids: tuple[str, ...]
    table_versions: Mapping[str, int]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class MakingData:
    """Everything that the section shows."""

    run_id: str
    snapshots: tuple[Snapshot, ...] = ()
    """The newest date first."""
    runs: tuple[CompletedRun, ...] = ()
    """The newest first."""
    commits: Mapping[str, int] = field(default_factory=dict)

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks of the newest snapshot."""
        return self.snapshots[0].checks if self.snapshots else ()


def read(source: Source) -> MakingData:
    """Read snapshots and runs."""
    return MakingData(
        run_id=source.run.run_id,
        snapshots=newest_snapshots(source.read("snapshots"), source.run.as_of_dates),
        runs=newest_runs(source.read("runs")),
        commits=dict(source.commits),
    )


def newest_snapshots(snapshots: DataFrame, as_of_dates: Sequence[date]) -> tuple[Snapshot, ...]:
    """The last revision of each date, newest date first; bounded by the revisions of these dates."""
    mine = snapshots.where(F.col("as_of").isin(*as_of_dates))
    rows = mine.select(*MANIFEST, F.date_format("published_at", MINUTE).alias("at")).collect()
    last = {row["as_of"]: row for row in sorted(rows, key=lambda row: (row["as_of"], row["revision"]))}
    return tuple(_to_snapshot(row) for row in reversed(last.values()))


def newest_runs(runs: DataFrame) -> tuple[CompletedRun, ...]:
    """The newest MAX_RUNS completed runs, newest first."""
    ordered = runs.orderBy(F.desc("now"), F.desc("run_id")).limit(MAX_RUNS)
    return tuple(_to_run(row) for row in ordered.withColumn("at", F.date_format("now", MINUTE)).collect())


def _to_snapshot(row: Row) -> Snapshot:
    checks = tuple(Check(c["name"], bool(c["passed"]), c["detail"] or "") for c in row["checks"] or ())
    return Snapshot(
        row["snapshot_id"], row["as_of"], row["revision"], row["n_users"], row["digest"], row["at"], checks
    )


def _to_run(row: Row) -> CompletedRun:
    return CompletedRun(
        run_id=row["run_id"],
        now=row["at"],
        as_of_dates=tuple(row["as_of_dates"] or ()),
        delivery_no=row["delivery_no"],
        code_version=row["code_version"] or "",
        snapshot_ids=tuple(row["snapshot_ids"] or ()),
        table_versions=_to_dict(row["table_versions"]),
        seconds=_to_dict(row["seconds"]),
    )


def _to_dict(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return dict(values or {})


def render(data: MakingData, seen: Disclosure, words: Words) -> Iterator[Chapter]:
    """Checks before publication, seconds per step, snapshots, table versions and completed runs."""
    no_checks = () if data.checks else (words("data.no_checks"),)
    yield Chapter(DATA, notes=no_checks, figures=drop_empty(_checks_grid(data, seen, words)))
    mine = next((run for run in data.runs if run.run_id == data.run_id), None)
    run = mine or (data.runs[0] if data.runs else None)
    figures = drop_empty(
        _seconds_chart(run, words),
        _snapshot_grid(data, seen, words),
        _version_grid(data, run, words),
        _run_grid(data.runs, words),
    )
    yield Chapter(MADE, words("made.title"), words("made.about"), (_note(mine, run, words),), figures)


def _note(mine: CompletedRun | None, run: CompletedRun | None, words: Words) -> str:
    if run is None:
        return words("made.first")
    seconds = words.count(round(sum(run.seconds.values())))
    return words(
        "made.took" if mine else "made.last_took", run=run.run_id, n=len(run.seconds), seconds=seconds
    )


def _checks_grid(data: MakingData, seen: Disclosure, words: Words) -> Grid | None:
    if not data.snapshots:
        return None
    failed_first = sorted(data.checks, key=lambda check: check.passed)
    rows = tuple(
        (text(words.translate(c.name)), _verdict(c.passed, words), text(_withhold_small(c.detail, seen)))
        for c in failed_first
    )
    heads = columns(words, "check", "result", "saw")
    return Grid(words("data.checks", snapshot=data.snapshots[0].snapshot_id), heads, rows)


def _withhold_small(detail: str, seen: Disclosure) -> str:
    """The detail of a check without small numbers of users."""

    def replace(match: re.Match[str]) -> str:
        return WITHHELD if seen.is_small(int(match[0].replace(",", ""))) else match[0]

    return re.sub(r"\b\d[\d,]*(?= (?:users?|different|in)\b)", replace, detail)


def _verdict(passed: bool, words: Words) -> Cell:
    """The result of a check, as text and colour."""
    return Cell(words("word.passed"), Look.GOOD) if passed else Cell(words("word.failed"), Look.BAD)


def _seconds_chart(run: CompletedRun | None, words: Words) -> Chart | None:
    if not run or not run.seconds:
        return None
    longest_first = sorted(run.seconds.items(), key=lambda item: (-item[1], item[0]))
    points = [Point(step, "", seconds, words.decimal(seconds, 1)) for step, seconds in longest_first]
    spec = bars_chart(points, Titles(words("column.step"), words("column.seconds")))
    return Chart("seconds-chart", words("made.seconds", run=run.run_id), words("about.seconds"), spec)


def _snapshot_grid(data: MakingData, seen: Disclosure, words: Words) -> Grid:
    rows = tuple(
        (
            text(s.snapshot_id),
            figure(words.count(s.n_users), not seen.is_small(s.n_users)),
            text(words("word.of", part=sum(c.passed for c in s.checks), whole=len(s.checks))),
            text(s.published_at),
            text(s.digest),
        )
        for s in data.snapshots
    )
    heads = columns(words, "snapshot", "users", "checks_passed", "published_at", "digest")
    return Grid(words("made.snapshots"), heads, rows, is_folded=True)


def _version_grid(data: MakingData, run: CompletedRun | None, words: Words) -> Grid:
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
            text(_span(run.as_of_dates, words)),
            text("" if run.delivery_no is None else run.delivery_no),
            text(", ".join(run.snapshot_ids)),
            figure(words.decimal(sum(run.seconds.values()), 1)),
            text(run.code_version),
        )
        for run in runs
    )
    heads = columns(words, "run", "now", "as_of", "up_to", "snapshots", "seconds", "code_version")
    return Grid(words("made.runs"), heads, rows, is_folded=True)


def _span(dates: Sequence[date], words: Words) -> str:
    """The first and the last date."""
    return " \N{EN DASH} ".join(dict.fromkeys(words.day(day) for day in (*dates[:1], *dates[-1:])))


def summarize(data: MakingData, seen: Disclosure, words: Words) -> Summary:  # noqa: ARG001
    """The snapshots, and how many checks passed."""
    ids = ", ".join(each.snapshot_id for each in data.snapshots[:N_IN_FACTS])
    facts = {words("fact.snapshot"): ids or words("tile.none")}
    if not data.checks:
        nothing = Tile(words("tile.checks"), words("tile.none"), (words("data.no_checks"),))
        return Summary((nothing,), facts=facts)
    passed, n = sum(check.passed for check in data.checks), len(data.checks)
    lines = (words("tile.checks_about"), data.snapshots[0].snapshot_id)
    look = Look.GOOD if passed == n else Look.BAD
    tile = Tile(words("tile.checks"), words("word.of", part=passed, whole=n), lines, look)
    sentence = words("summary.passed", n=n) if passed == n else words("summary.failed", n=n - passed)
    return Summary((tile,), (Sentence(sentence, "data"),), facts)


SECTION = Section(
    key=MADE,
    place=90,
    reads=("snapshots", "runs"),
    texts="activation/publish/texts",
    read=read,
    render=render,
    summary=summarize,
)

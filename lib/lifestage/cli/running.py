"""run, backfill, report, validate, tables, and the jobs."""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pyspark.sql import functions as F

from lifestage.activation.audiences.config import AudiencesConfig
from lifestage.activation.report.config import ReportConfig
from lifestage.activation.report.step import is_newest
from lifestage.analytics.stages.config import StageLadder
from lifestage.cli.terminal import (
    DEFAULT_CONF,
    AsJson,
    AsOf,
    Conf,
    Now,
    RunId,
    console,
    day,
    errors,
    grid,
    guarded,
    instant,
    loaded,
    opened,
    refuse,
    say_json,
)
from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES
from lifestage.ingestion.sources.deliveries import resolve_path
from lifestage.ingestion.sources.ledger import KNOWN
from lifestage.ingestion.sources.tables import REFERENCE
from lifestage.platform.as_of_dates import Interval, dates_between
from lifestage.platform.errors import NoDataError
from lifestage.project import runner
from lifestage.project.pipeline import BACKFILL_STEPS, STEPS, groups, writers_of
from lifestage.project.registry import tables_of
from lifestage.project.secrets import read_secrets

# What may become of a row.
OUTCOMES = ("accepted", "duplicate", "replaced", "superseded", "suppressed", "rejected")
ALWAYS_TOLD = ("accepted", "duplicate", "rejected")


def run(
    conf: Conf = DEFAULT_CONF,
    as_of: AsOf = None,
    now: Now = None,
    steps: Annotated[
        str | None, typer.Option(help=f"Only these, comma separated, of {', '.join(STEPS)}.")
    ] = None,
    run_id: RunId = None,
    as_json: AsJson = False,
) -> None:
    """Ingest what is new and build one as_of date, to the published snapshot and the report.

    Example: lifestage run --conf conf/prod.yaml --as-of 2026-11-21
    """
    chosen = runner.step_names(steps.split(",")) if steps else tuple(STEPS)
    moment = instant(now)
    wanted = day("--as-of", as_of) if as_of else None
    project = opened(conf)
    dates = (wanted or _yesterday(moment, project),)
    _execute(project, _request(dates, moment, chosen, run_id), as_json)


def backfill(
    conf: Conf = DEFAULT_CONF,
    first: Annotated[str | None, typer.Option("--from", help="First date, e.g. 2026-01-31.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last date, e.g. 2026-10-31.")] = None,
    every: Annotated[
        Interval, typer.Option(help="month, week or day: month-ends, Sundays or each day.")
    ] = Interval.MONTH,
    stale: Annotated[
        bool, typer.Option("--stale", help="All kept dates that later deliveries reach.")
    ] = False,
    now: Now = None,
    run_id: RunId = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild past dates in one pass; the newest of them is published.

    Example: lifestage backfill --from 2026-01-31 --to 2026-10-31 --every month
    """
    moment = instant(now)
    if stale and (first or last):
        refuse("backfill: --stale takes every date that is stale: leave out --from and --to")
    given = () if stale else tuple(_between(first, last, every))
    if not stale and not given:
        day_of = "month-end" if every is Interval.MONTH else "Sunday"
        _nothing_to_do(f"no {day_of} between {first} and {last}", as_json)
        return
    project = opened(conf)
    dates = tuple(runner.stale_dates(project)) if stale else given
    if not dates:
        _nothing_to_do("nothing is stale", as_json)
        return
    request = _request(dates, moment, BACKFILL_STEPS, run_id)
    _execute(project, replace(request, accept_definitions=True), as_json)


def validate(conf: Conf = DEFAULT_CONF) -> None:
    """Check every configuration file and the keys; nothing is read or written.

    Example: lifestage validate --conf conf/prod.yaml
    """
    config = loaded(conf)
    read_secrets(config)
    console.print(f"{conf}: sound", markup=False, soft_wrap=True)
    console.print(
        f"  {len(config.parts[SOURCES])} sources, {len(config.parts[REFERENCE_SOURCES])} reference tables, "
        f"{len(config.of(StageLadder).ladder)} stages, {len(config.of(AudiencesConfig).audiences)} audiences"
    )


def tables(conf: Conf = DEFAULT_CONF, as_json: AsJson = False) -> None:
    """List every table: who writes it, its kind, key and how it is written.

    Example: lifestage tables --conf conf/prod.yaml
    """
    config = loaded(conf)
    columns = ("table", "written by", "kind", "mode", "key")
    rows = [
        (
            table.name,
            writers_of(table.name, config.parts[REFERENCE_SOURCES]),
            table.kind,
            table.mode,
            table.key,
        )
        for table in tables_of(config).values()
    ]
    if as_json:
        say_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    listed = grid(*columns, wraps=["key"])
    for *texts, key in rows:
        listed.add_row(*map(str, texts), ", ".join(key))
    console.print(listed)


def run_job(step: str, arguments: Sequence[str] | None = None) -> None:
    """What each jobs/<step>.py does: one step, as part of the run that `--run-id` names."""
    job = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @job.command(help=f"{step}: {STEPS[step].does}")
    def main(
        run_id: Annotated[str, typer.Option("--run-id", help="Name of the run that this step is part of.")],
        as_of: AsOf = None,
        conf: Conf = DEFAULT_CONF,
        now: Now = None,
    ) -> None:
        moment = instant(now)
        wanted = day("--as-of", as_of) if as_of else None
        project = opened(conf)
        dates = (wanted or _yesterday(moment, project),)
        _execute(project, replace(_request(dates, moment, (step,), run_id), is_job=True))

    guarded(lambda: job(arguments, standalone_mode=True))


def _request(
    dates: tuple[date, ...], moment: datetime, steps: tuple[str, ...], run_id: str | None = None
) -> runner.Request:
    return runner.Request(
        run_id=run_id or f"{dates[-1]}-{uuid.uuid4().hex[:8]}",
        as_of_dates=dates,
        now=moment,
        wall_clock=datetime.now(UTC),
        steps=steps,
    )


def _execute(project: runner.Project, request: runner.Request, as_json: bool = False) -> None:
    """Run, showing each step as it is done; what came of it ends the output, or with `as_json` is all of it."""
    dates = request.as_of_dates
    if dates[-1] > (today := _today(request.now, project)):
        refuse(f"--as-of: {dates[-1]} is after {today}, the business date of now: nothing is known of it yet")
    started = time.monotonic()
    screen = errors if as_json else console
    screen.print(f"run {request.run_id}: as of {_span(dates)}, {len(request.steps)} of {len(STEPS)} steps")
    rows: dict[str, int] = {}
    with screen.status(_at_work(request)) as status:

        def show(name: str, seconds: float, n_rows: int) -> None:
            rows[name] = n_rows
            written = f" {n_rows:>13,} rows" if STEPS[name].writes else ""
            screen.print(f"  {name:<9} {seconds:7.1f} s{written}")
            status.update(_at_work(request))

        try:
            runner.execute(project, request, show)
        except NoDataError as error:
            raise NoDataError(f"{error}\n{what_there_is(project)}") from error
        except KeyboardInterrupt:
            screen.print("interrupted: the same command does again what is missing")
            raise
    screen.print(f"done in {time.monotonic() - started:.1f} s")
    found = _outcome(project, request, rows)
    if as_json:
        say_json(found)
        return
    for line in _told(found, project):
        console.print(line, markup=False, soft_wrap=True)


def _nothing_to_do(why: str, as_json: bool) -> None:
    if as_json:
        say_json(None)
    (errors if as_json else console).print(why)


def _at_work(request: runner.Request) -> str:
    """The chosen steps that now run together."""
    for group in groups():
        names = [step.name for step in group if step.name in request.steps]
        if remaining := [name for name in names if name not in request.seconds]:
            return f"[bold]{', '.join(remaining)}[/bold]"
    return "[bold]finishing[/bold]"


def _outcome(project: runner.Project, request: runner.Request, rows: Mapping[str, int]) -> dict[str, Any]:
    """What came of a run: its steps, and what they made; None for what no step of it makes."""
    seconds = request.seconds
    return {
        "run_id": request.run_id,
        "as_of_dates": request.as_of_dates,
        "steps": [
            {"step": name, "seconds": seconds[name], "rows": rows[name]} for name in STEPS if name in seconds
        ],
        "deliveries": _deliveries(project, request) if "ingest" in request.steps else None,
        "snapshot_id": _snapshot_id(project, request) if "publish" in request.steps else None,
        "report": _report_path(project, request) if "report" in request.steps else None,
    }


def _deliveries(project: runner.Project, request: runner.Request) -> dict[str, int]:
    """Files that this run has read, those whose content was known, and what became of the rows of events.

    Of reference data it says how many rows were rejected.
    """
    ledger = project.store.read(project.tables["ingest_ledger"])
    names = ("n_rows", *[f"n_{name}" for name in OUTCOMES])
    totals = [
        F.coalesce(F.sum(F.when(F.col("kind") == "events", F.col(n))), F.lit(0)).alias(n) for n in names
    ]
    refused = F.sum(F.when(F.col("kind") == REFERENCE, F.col("n_rejected")))
    totals.append(F.coalesce(refused, F.lit(0)).alias("n_reference_rejected"))
    is_known = F.col("kind") == KNOWN
    files = [F.count_if(~is_known).alias("n_files"), F.count_if(is_known).alias("n_known_files")]
    mine = ledger.where(F.col("ingested_at") == F.lit(request.now)).agg(*files, *totals)
    return mine.collect()[0].asDict()


def _snapshot_id(project: runner.Project, request: runner.Request) -> str | None:
    mine = project.store.read(project.tables["runs"]).where(F.col("run_id") == request.run_id)
    return next(iter(mine.collect()[0]["snapshot_ids"]), None)


def _report_path(project: runner.Project, request: runner.Request) -> str | None:
    """The page that was written; a run of past dates writes none."""
    runs = project.store.read(project.tables["runs"])
    is_written = is_newest(runs, request.as_of_dates[-1])
    return str(Path(project.config.of(ReportConfig).path).resolve()) if is_written else None


def _told(found: Mapping[str, Any], project: runner.Project) -> Iterator[str]:
    """What came of a run, in lines, and where to look at it."""
    if read := found["deliveries"]:
        known = f", {read['n_known_files']:,} with known content" if read["n_known_files"] else ""
        nothing = "" if read["n_files"] or known else f" in {project.config.of(IngestConfig).landing}"
        yield f"files     {read['n_files']:,} new{known}{nothing}"
        told = [name for name in OUTCOMES if read[f"n_{name}"] or name in ALWAYS_TOLD]
        counts = ", ".join(f"{read[f'n_{name}']:,} {name}" for name in told)
        yield f"rows      {read['n_rows']:,} in: {counts}"
        if 2 * read["n_duplicate"] > read["n_rows"]:
            yield "          most had a key that was known: a file that came again, or a `key` that says too little"
        if read["n_reference_rejected"]:
            yield f"          {read['n_reference_rejected']:,} rows of reference tables rejected: what was known of their keys goes on"
        if read["n_rejected"] or read["n_reference_rejected"]:
            yield "          lifestage quarantine list: which were rejected, and why"
    if found["snapshot_id"]:
        yield f"snapshot  {found['snapshot_id']}"
    if found["report"]:
        yield f"report    {found['report']}"
    elif "report" in [step["step"] for step in found["steps"]]:
        day = found["as_of_dates"][-1]
        yield f"report    is still that of a later date; this one: lifestage report --as-of {day} --out FILE"


def what_there_is(project: runner.Project) -> str:
    """What a run without data could have had: the dates of the events, or the files that it looked for."""
    store = project.store
    days = store.read(project.tables["events"]).agg(F.min("event_date"), F.max("event_date")).first()
    if days and days[0]:
        return f"the events are of {days[0]} to {days[1]}"
    ingest = project.config.of(IngestConfig)
    if not ingest.sources:
        return "there is no source: describe one in sources/ beside the main file (lifestage init DIR has examples)"
    globs = ", ".join(resolve_path(source.path, ingest.landing) for source in ingest.sources.values())
    return f"no event has come in yet; files are looked for at {globs}"


def _between(first: str | None, last: str | None, every: Interval) -> list[date]:
    if first is None or last is None:
        refuse("backfill: give --from and --to, or --stale")
    begins, ends = day("--from", first), day("--to", last)
    if begins > ends:
        refuse(f"backfill: --from {begins} is after --to {ends}")
    return dates_between(begins, ends, every)


def _today(moment: datetime, project: runner.Project) -> date:
    return moment.astimezone(ZoneInfo(project.config.shared.business.time_zone)).date()


def _yesterday(moment: datetime, project: runner.Project) -> date:
    return _today(moment, project) - timedelta(days=1)


def _span(dates: Sequence[date]) -> str:
    return f"{dates[0]}" if len(dates) == 1 else f"{dates[0]} to {dates[-1]} ({len(dates)} dates)"

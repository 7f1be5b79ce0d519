"""run, backfill, validate, tables, and the jobs."""

import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from pyspark.sql import functions as F

from lifestage import runner
from lifestage.cli.terminal import (
    DEFAULT_CONF,
    AsOf,
    Conf,
    Now,
    RunId,
    console,
    day,
    grid,
    guarded,
    instant,
    loaded,
    opened,
    refuse,
)
from lifestage.core.as_of_dates import Every, dates_between
from lifestage.core.deliveries import absolute
from lifestage.core.errors import NoDataError
from lifestage.pipeline import BY_NAME, STEPS, groups, writers_of


def run(
    conf: Conf = DEFAULT_CONF,
    as_of: AsOf = None,
    now: Now = None,
    steps: Annotated[str | None, typer.Option(help="Only these steps, comma separated.")] = None,
    run_id: RunId = None,
) -> None:
    """Ingest what is new and build one as_of date, to the published snapshot and the report.

    Example: lifestage run --conf conf/prod.yaml --as-of 2026-11-21
    """
    chosen = runner.step_names(steps.split(",")) if steps else tuple(BY_NAME)
    moment = instant(now)
    wanted = day("--as-of", as_of) if as_of else None
    project = opened(conf)
    _execute(project, (wanted or _yesterday(moment, project),), moment, chosen, run_id)


def backfill(
    conf: Conf = DEFAULT_CONF,
    first: Annotated[str | None, typer.Option("--from", help="First date, e.g. 2026-01-31.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last date, e.g. 2026-10-31.")] = None,
    every: Annotated[
        Every, typer.Option(help="month, week or day: month-ends, Sundays or each day.")
    ] = Every.MONTH,
    stale: Annotated[
        bool, typer.Option("--stale", help="All kept dates that later deliveries reach.")
    ] = False,
    now: Now = None,
    run_id: RunId = None,
) -> None:
    """Rebuild past dates in one pass; the newest of them is published.

    Example: lifestage backfill --from 2026-01-31 --to 2026-10-31 --every month
    """
    moment = instant(now)
    if stale and (first or last):
        refuse("backfill: --stale takes every date that is stale: leave out --from and --to")
    given = () if stale else tuple(_between(first, last, every))
    if not stale and not given:
        console.print(f"no {every}-end between {first} and {last}")
        return
    project = opened(conf)
    dates = tuple(runner.stale_dates(project)) if stale else given
    if not dates:
        console.print("nothing is stale")
        return
    _execute(project, dates, moment, runner.BACKFILL_STEPS, run_id, accept_definitions=True)


def validate(conf: Conf = DEFAULT_CONF) -> None:
    """Check every configuration file and the keys; nothing is read or written.

    Example: lifestage validate --conf conf/prod.yaml
    """
    config = loaded(conf)
    runner.read_secrets(config)
    console.print(
        f"{conf}: sound: {len(config.ingest.sources)} sources, {len(config.reference.sources)} reference tables, "
        f"{len(config.features.catalogue.features)} derived features, {len(config.stages.ladder)} stages"
    )


def tables(conf: Conf = DEFAULT_CONF) -> None:
    """List every table: who writes it, its kind, key and how it is written.

    Example: lifestage tables --conf conf/prod.yaml
    """
    config = loaded(conf)
    listed = grid("table", "written by", "kind", "mode", "key", wraps=["key"])
    for table in runner.tables_of(config).values():
        writers = writers_of(table.name, config.reference.sources)
        listed.add_row(table.name, writers, table.kind, table.mode, ", ".join(table.key))
    console.print(listed)


def run_job(step: str, arguments: Sequence[str] | None = None) -> None:
    """What each jobs/<step>.py does: one step, as part of the run that `--run-id` names."""
    job = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @job.command(help=f"{step}: {BY_NAME[step].does}")
    def main(
        run_id: Annotated[str, typer.Option("--run-id")],
        as_of: AsOf = None,
        conf: Conf = DEFAULT_CONF,
        now: Now = None,
    ) -> None:
        moment = instant(now)
        wanted = day("--as-of", as_of) if as_of else None
        project = opened(conf)
        _execute(project, (wanted or _yesterday(moment, project),), moment, (step,), run_id, is_job=True)

    guarded(lambda: job(arguments, standalone_mode=True))


def _execute(
    project: runner.Project,
    dates: tuple[date, ...],
    moment: datetime,
    steps: tuple[str, ...],
    run_id: str | None,
    is_job: bool = False,
    accept_definitions: bool = False,
) -> None:
    if dates[-1] > (today := _today(moment, project)):
        refuse(f"--as-of: {dates[-1]} is after {today}, the business date of now: nothing is known of it yet")
    request = runner.Request(
        run_id=run_id or f"{dates[-1]}-{uuid.uuid4().hex[:8]}",
        as_of_dates=dates,
        now=moment,
        wall_clock=datetime.now(UTC),
        steps=steps,
        is_job=is_job,
        accept_definitions=accept_definitions,
    )
    started = time.monotonic()
    console.print(f"run {request.run_id}: as of {_span(dates)}, {len(steps)} of {len(STEPS)} steps")
    with console.status(_at_work(request)) as status:

        def show(name: str, seconds: float) -> None:
            console.print(f"  {name:<10} {seconds:6.1f} s")
            status.update(_at_work(request))

        try:
            runner.execute(project, request, show)
        except NoDataError as error:
            raise NoDataError(f"{error}\n{what_there_is(project)}") from error
    console.print(f"done in {time.monotonic() - started:.1f} s")
    for line in _outcome(project, request):
        console.print(line, markup=False, soft_wrap=True)


def _at_work(request: runner.Request) -> str:
    """The chosen steps that now run together."""
    for group in groups():
        names = [step.name for step in group if step.name in request.steps]
        if remaining := [name for name in names if name not in request.seconds]:
            return f"[bold]{', '.join(remaining)}[/bold]"
    return "[bold]finishing[/bold]"


def _outcome(project: runner.Project, request: runner.Request) -> Iterator[str]:
    """What came of a run, and where to look at it."""
    store, tables = project.store, project.tables
    if "ingest" in request.steps:
        mine = store.read(tables["ingest_ledger"]).where(F.col("ingested_at") == F.lit(request.now))
        n_files, n_rows, n_rejected = mine.agg(
            F.count("*"), *[F.coalesce(F.sum(name), F.lit(0)) for name in ("n_rows", "n_rejected")]
        ).collect()[0]
        hint = ": lifestage quarantine list" if n_rejected else ""
        yield f"files   {n_files:,} new, {n_rows:,} rows, {n_rejected:,} rejected{hint}"
    if "publish" in request.steps:
        runs = store.read(tables["runs"]).where(F.col("run_id") == request.run_id)
        yield f"users   snapshot {', '.join(runs.collect()[0]['snapshot_ids'])}"
    if "report" in request.steps:
        yield f"report  {Path(project.config.report.path).resolve()}"


def what_there_is(project: runner.Project) -> str:
    """What a run without data could have had: the dates of the events, or the files that it looked for."""
    store = project.store
    days = store.read(project.tables["events"]).agg(F.min("event_date"), F.max("event_date")).first()
    if days and days[0]:
        return f"the events are of {days[0]} to {days[1]}"
    ingest = project.config.ingest
    if not ingest.sources:
        return "there is no source: describe one in sources/ beside the main file (lifestage init DIR has examples)"
    globs = ", ".join(absolute(source.path, ingest.landing) for source in ingest.sources.values())
    return f"no event has come in yet; files are looked for at {globs}"


def _between(first: str | None, last: str | None, every: Every) -> list[date]:
    if first is None or last is None:
        refuse("backfill: give --from and --to, or --stale")
    begins, ends = day("--from", first), day("--to", last)
    if begins > ends:
        refuse(f"backfill: --from {begins} is after --to {ends}")
    return dates_between(begins, ends, every)


def _today(moment: datetime, project: runner.Project) -> date:
    return moment.astimezone(ZoneInfo(project.config.main.business.time_zone)).date()


def _yesterday(moment: datetime, project: runner.Project) -> date:
    return _today(moment, project) - timedelta(days=1)


def _span(dates: Sequence[date]) -> str:
    return f"{dates[0]}" if len(dates) == 1 else f"{dates[0]} to {dates[-1]} ({len(dates)} dates)"

"""The command line: what to run is decided here, the clock is read here, and nowhere else."""

import logging
import os
import sys
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from lifestage import runner
from lifestage.config import load_config
from lifestage.core.as_of_dates import Every, dates_between
from lifestage.core.errors import ConfigError, ExitCode, LifestageError, NoDataError
from lifestage.pipeline import BY_NAME, STEPS

app = typer.Typer(no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False, help=__doc__)
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

Conf = Annotated[Path, typer.Option("--conf", help="The project's main file.", envvar="LIFESTAGE_CONF")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Business date to build, e.g. 2026-11-21; yesterday by default.")]
Now = Annotated[str | None, typer.Option("--now", help="Instant that counts as now, e.g. 2026-11-22T06:00:00+01:00.")]
RunId = Annotated[str | None, typer.Option("--run-id", help="Name of the run; a new one by default.")]
DEFAULT_CONF = Path("conf/lifestage.yaml")


@app.command()
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
    project = runner.open_project(conf)
    moment = _instant(now)
    day = _day("--as-of", as_of) if as_of else _yesterday(moment, project)
    _execute(project, (day,), moment, chosen, run_id)


@app.command()
def backfill(
    conf: Conf = DEFAULT_CONF,
    first: Annotated[str | None, typer.Option("--from", help="First date.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last date.")] = None,
    every: Annotated[Every, typer.Option(help="Month-ends, Sundays or days.")] = Every.MONTH,
    stale: Annotated[bool, typer.Option("--stale", help="All kept dates that later deliveries reach.")] = False,
    now: Now = None,
    run_id: RunId = None,
) -> None:
    """Rebuild past dates in one pass; the newest of them is published.

    Example: lifestage backfill --from 2026-01-31 --to 2026-10-31 --every month
    """
    project = runner.open_project(conf)
    dates = runner.stale_dates(project) if stale else _between(first, last, every)
    if not dates:
        console.print("nothing is stale" if stale else f"no {every}-end between {first} and {last}")
        return
    _execute(project, tuple(dates), _instant(now), runner.BACKFILL_STEPS, run_id, accept_definitions=True)


@app.command()
def validate(conf: Conf = DEFAULT_CONF) -> None:
    """Check every configuration file and the keys; nothing is read or written.

    Example: lifestage validate --conf conf/prod.yaml
    """
    config = load_config(conf)
    runner.read_secrets(config)
    console.print(
        f"{conf}: sound: {len(config.ingest.sources)} sources, {len(config.reference.sources)} reference tables, "
        f"{len(config.features.catalogue.features)} derived features, {len(config.stages.ladder)} stages"
    )


@app.command()
def tables(conf: Conf = DEFAULT_CONF) -> None:
    """List every table: who writes it, its kind, key and how it is written.

    Example: lifestage tables --conf conf/prod.yaml
    """
    from lifestage.pipeline import writer_of

    config = load_config(conf)
    grid = Table("table", "written by", "kind", "mode", "key", box=None, pad_edge=False)
    for table in runner.tables_of(config).values():
        writer = writer_of(table.name, config.reference.sources)
        grid.add_row(table.name, writer, table.kind, table.mode, ", ".join(table.key))
    console.print(grid)


def run_job(step: str, arguments: Sequence[str] | None = None) -> None:
    """What each jobs/<step>.py does: one step, as part of the run that `--run-id` names."""
    job = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @job.command(help=f"{step}: {BY_NAME[step].does}")
    def main(run_id: Annotated[str, typer.Option("--run-id")], as_of: AsOf = None, conf: Conf = DEFAULT_CONF, now: Now = None) -> None:
        project = runner.open_project(conf)
        moment = _instant(now)
        day = _day("--as-of", as_of) if as_of else _yesterday(moment, project)
        _execute(project, (day,), moment, (step,), run_id, is_job=True)

    _guarded(lambda: job(arguments, standalone_mode=True))


def main() -> None:
    """The console script."""
    logging.basicConfig(
        level=os.environ.get("LIFESTAGE_LOG", "WARNING"), format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    _guarded(app)


def _execute(
    project: runner.Project,
    dates: tuple[date, ...],
    moment: datetime,
    steps: tuple[str, ...],
    run_id: str | None,
    is_job: bool = False,
    accept_definitions: bool = False,
) -> None:
    request = runner.Request(
        run_id=run_id or f"{dates[-1]}-{uuid.uuid4().hex[:8]}",
        as_of_dates=dates,
        now=moment,
        wall_clock=datetime.now(UTC),
        steps=steps,
        is_job=is_job,
        accept_definitions=accept_definitions,
    )
    console.print(f"run {request.run_id}: as of {_span(dates)}, {len(steps)} of {len(STEPS)} steps")
    with console.status("starting") as status:
        status.update(f"[bold]{steps[0]}[/bold]")
        runner.execute(project, request, lambda name, seconds: console.print(f"  {name:<10} {seconds:6.1f} s"))
    console.print(f"done in {sum(request.seconds.values()):.1f} s")


def _guarded(command: Callable[[], object]) -> None:
    try:
        command()
    except ConfigError as error:
        for problem in error.problems:
            errors.print(problem, style="red", soft_wrap=True, markup=False)
        errors.print(f"{len(error.problems)} problem(s) in the configuration, nothing was started", markup=False)
        sys.exit(ExitCode.CONFIGURATION)
    except LifestageError as error:
        errors.print(str(error), style="red", soft_wrap=True, markup=False)
        sys.exit(error.exit_code)


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _refuse(f"--now: {text} is not an ISO 8601 instant such as 2026-11-22T06:00:00+01:00")
    if moment.tzinfo is None:
        _refuse(f"--now: {text} has no UTC offset")
    return moment.astimezone(UTC)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        _refuse(f"{option}: {text} is not a date such as 2026-11-21")


def _between(first: str | None, last: str | None, every: Every) -> list[date]:
    if first is None or last is None:
        _refuse("backfill: give --from and --to, or --stale")
    return dates_between(_day("--from", first), _day("--to", last), every)


def _yesterday(moment: datetime, project: runner.Project) -> date:
    zone = ZoneInfo(project.config.main.business.time_zone)
    return moment.astimezone(zone).date() - timedelta(days=1)


def _span(dates: Sequence[date]) -> str:
    return f"{dates[0]}" if len(dates) == 1 else f"{dates[0]} to {dates[-1]} ({len(dates)} dates)"


def _refuse(problem: str) -> NoReturn:
    raise ConfigError([problem])


if __name__ == "__main__":
    main()

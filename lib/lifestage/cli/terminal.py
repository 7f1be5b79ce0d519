"""What every command shares: its options, how it opens a project, and how it speaks."""

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from itertools import takewhile
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pyspark import errors as spark_errors
from rich.console import Console
from rich.status import Status
from rich.table import Table

from lifestage.platform.config.configuration import Config
from lifestage.platform.errors import ConfigError, ExitCode, LifestageError
from lifestage.project import runner
from lifestage.project.loader import load_config

logger = logging.getLogger(__name__)

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

Conf = Annotated[Path, typer.Option("--conf", help="The project's main file.", envvar="LIFESTAGE_CONF")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="Business date to build, e.g. 2026-11-21; yesterday by default.")
]
Now = Annotated[
    str | None, typer.Option("--now", help="Instant that counts as now, e.g. 2026-11-22T06:00:00+01:00.")
]
RunId = Annotated[str | None, typer.Option("--run-id", help="Name of the run; a new one by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
# With these a stack or a query plan begins.
ENDS = ("\tat ", "JVM stacktrace", "'", "+- ", ":- ", "== ")
DEFAULT_CONF = Path("conf/lifestage.yaml")
# What Spark says of these quotes the value of a row.
OF_ROWS = (
    spark_errors.ArithmeticException,
    spark_errors.ArrayIndexOutOfBoundsException,
    spark_errors.DateTimeException,
    spark_errors.IllegalArgumentException,
    spark_errors.NumberFormatException,
    spark_errors.SparkRuntimeException,
)


def guarded(command: Callable[[], object]) -> None:
    """Run a command; whatever goes wrong is told as a message with an exit code, never as a traceback."""
    logging.basicConfig(
        level=os.environ.get("LIFESTAGE_LOG", "WARNING"),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    try:
        command()
    except ConfigError as error:
        for problem in error.problems:
            _complain(problem)
        if len(error.problems) > 1:
            errors.print(f"{len(error.problems)} problems: nothing was started", markup=False)
        sys.exit(ExitCode.CONFIGURATION)
    except LifestageError as error:
        _complain(str(error), *getattr(error, "__notes__", ()))
        sys.exit(error.exit_code)
    except Exception as error:
        # Spark's errors reach us in many classes; whatever it is, a scheduler gets a message and an exit code.
        # Where, and nothing of what it says: Spark quotes rows.
        logger.debug("failed:\n%s", "".join(traceback.format_tb(error.__traceback__)))
        _complain(f"{type(error).__name__}: {_gist(error)}", *getattr(error, "__notes__", ()))
        errors.print("LIFESTAGE_LOG=DEBUG shows where it happened", markup=False)
        sys.exit(ExitCode.FAILED)


def loaded(conf: Path) -> Config:
    """The configuration; ConfigError with the way out where there is none."""
    _require(conf)
    return load_config(conf)


def opened(conf: Path, needs_keys: bool = True, is_brief: bool = False) -> runner.Project:
    """The project, with a session; without keys it can only be read. `is_brief` for a few small queries."""
    _require(conf)
    with at_work("starting Spark"):
        project = runner.open_project(conf, needs_keys=needs_keys, is_brief=is_brief)
    # What fails in Spark reaches us as an exception; its log would say it again, in pages, and with values of rows.
    project.store.spark.sparkContext.setLogLevel("FATAL")
    return project


def at_work(what: str) -> Status:
    """What the command is doing, as a line that goes again; on standard error, and on a terminal alone."""
    return errors.status(f"[dim]{what}[/dim]")


def instant(text: str | None) -> datetime:
    """What --now says; the clock where it says nothing."""
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        refuse(f"--now: {text} is not an ISO 8601 instant such as 2026-11-22T06:00:00+01:00")
    if moment.tzinfo is None:
        refuse(f"--now: {text} has no UTC offset")
    _within_reason("--now", text, moment.year)
    return moment.astimezone(UTC)


def day(option: str, text: str) -> date:
    """A date given as an option."""
    try:
        given = date.fromisoformat(text)
    except ValueError:
        refuse(f"{option}: {text} is not a date such as 2026-11-21")
    _within_reason(option, text, given.year)
    return given


def refuse(problem: str) -> NoReturn:
    """An option that cannot be: exit code 2, before anything starts."""
    raise ConfigError([problem])


def grid(*columns: str, numbers: Sequence[str] = (), wraps: Sequence[str] = ()) -> Table:
    """A table without lines; numbers stand at the right, and only columns that may wrap do."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in numbers else "left",
            no_wrap=column not in wraps,
            overflow="fold",
        )
    return table


def minute(moment: datetime) -> str:
    """An instant in UTC, to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def say_json(value: object) -> None:
    """JSON on standard output; instants in UTC."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_text))


def _within_reason(option: str, text: str, year: int) -> None:
    if not 1900 <= year <= 9998:
        refuse(f"{option}: {text} is not within the years 1900 to 9998")


def _require(conf: Path) -> None:
    if not conf.is_file():
        refuse(f"{conf}: file not found: give --conf FILE, or start a project with `lifestage init DIR`")


def _text(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _gist(error: Exception) -> str:
    """What an engine's error says, without the stack of its JVM; of one about a row no more than its name."""
    if isinstance(error, OF_ROWS) and error.getCondition():
        return (
            f"[{error.getCondition()}] a value of a row, which may name a person and is not shown, fails an "
            "expression: use a function that gives NULL for it (TRY_CAST, try_to_timestamp, try_url_decode, ...)"
        )
    lines = str(error).strip().splitlines()
    told = takewhile(lambda line: not line.startswith(ENDS), lines)
    # What it quotes of a row may be anybody's address.
    return re.sub(
        r"(The value )'.*?'( of the type)", r"\1'...'\2", "\n".join(line for line in told if line.strip())
    )


def _complain(*problems: str) -> None:
    for problem in problems:
        errors.print(problem, style="red", soft_wrap=True, markup=False)

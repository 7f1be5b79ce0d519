"""What every command shares: its options, how it opens a project, and how it prints."""

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from itertools import takewhile
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar, cast

import typer
from pyspark import errors as spark_errors
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from lifestage.platform.config.configuration import Config
from lifestage.platform.config.yaml_lines import add_line
from lifestage.platform.errors import ConfigError, ExitCode, LifestageError, NeedsSparkError
from lifestage.project.loader import load_config
from lifestage.project.location import MAIN_FILES, find_main_file
from lifestage.project.opening import Project, ReadableProject, open_for_reading, open_project, with_spark

logger = logging.getLogger(__name__)
AnswerT = TypeVar("AnswerT")

# Wider than any line, as a program that reads the output wants it.
UNWRAPPED = 100_000


def build_console(*, stderr: bool = False) -> Console:
    """A console that prints every text as it is: `:key:` is no emoji, `[x]` no style, and only a terminal wraps lines."""
    built = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not built.is_terminal:
        built.width = UNWRAPPED
    return built


console = build_console()
errors = build_console(stderr=True)


def _find_conf(conf: Path) -> Path:
    return find_main_file() if conf == DEFAULT_CONF else conf


DEFAULT_CONF = MAIN_FILES[0]
Conf = Annotated[
    Path,
    typer.Option(
        "--conf",
        help=f"The project's main file; {MAIN_FILES[1]} if only that exists.",
        envvar="LIFESTAGE_CONF",
        callback=_find_conf,
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="Business date to build, such as 2026-11-21; yesterday by default."),
]
Now = Annotated[
    str | None,
    typer.Option(
        "--now", help="Instant that counts as now, such as 2026-11-22T06:00:00+01:00; the clock by default."
    ),
]
RunId = Annotated[str | None, typer.Option("--run-id", help="Name of the run; a new name by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
# A stack trace or a query plan begins with one of these.
TRACE_STARTS = ("\tat ", "JVM stacktrace", "'", "+- ", ":- ", "== ")
# The exit code of a command that was interrupted.
INTERRUPTED = 130
# Messages of these errors quote values of rows.
ROW_ERRORS = (
    spark_errors.ArithmeticException,
    spark_errors.ArrayIndexOutOfBoundsException,
    spark_errors.DateTimeException,
    spark_errors.IllegalArgumentException,
    spark_errors.NumberFormatException,
    spark_errors.SparkRuntimeException,
)


def guard(command: Callable[[], object], as_json: bool = False) -> None:
    """Run a command: any error becomes a message and an exit code, never a traceback.

    With `as_json`, standard output gets the error as JSON too, and the exit code that the command returns is used.
    """
    logging.basicConfig(
        level=os.environ.get("LIFESTAGE_LOG", "WARNING"),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    try:
        code = command()
    except Exception as error:
        problems = _list_problems(error)
        _print_problems(*problems)
        if isinstance(error, ConfigError) and len(error.problems) > 1:
            errors.print(f"{len(error.problems)} problems: nothing was started")
        elif not isinstance(error, LifestageError) and not _is_usage_error(error):
            # Spark raises errors of many classes. Log only the places, because Spark's messages quote rows.
            logger.debug("failed:\n%s", "".join(traceback.format_tb(error.__traceback__)))
            errors.print("LIFESTAGE_LOG=DEBUG shows where it happened")
        exit_code = getattr(error, "exit_code", ExitCode.FAILED)
        if as_json:
            _print_error(type(error).__name__, problems, exit_code)
        sys.exit(exit_code)
    if as_json and code == INTERRUPTED:
        _print_error("KeyboardInterrupt", ["interrupted"], INTERRUPTED)
    if as_json and code:
        sys.exit(cast(int, code))


def load_conf(conf: Path) -> Config:
    """The configuration. Raises a ConfigError if there is no main file."""
    check_exists(conf)
    return load_config(conf)


def open_conf(conf: Path, needs_keys: bool = True, is_brief: bool = False) -> Project:
    """Open the project with a Spark session.

    Args:
        conf: the main file.
        needs_keys: False to only read tables, which needs no keys.
        is_brief: True for a session that is fast for a few small queries.
    """
    check_exists(conf)
    with show_status("starting Spark"):
        project = open_project(conf, needs_keys=needs_keys, is_brief=is_brief)
    return _silence(project)


def start_spark(readable: ReadableProject) -> Project:
    """A project that was opened for reading, with a Spark session."""
    with show_status("starting Spark"):
        project = with_spark(readable)
    return _silence(project)


def _silence(project: Project) -> Project:
    # Failures arrive as exceptions. Spark's log would repeat them at length, with values of rows.
    project.store.spark.sparkContext.setLogLevel("FATAL")
    return project


def answer(conf: Path, ask: Callable[[ReadableProject], AnswerT], needs_keys: bool = False) -> AnswerT:
    """The answer to a question about stored tables. Starts Spark only if the tables or the question need it.

    Args:
        conf: the main file.
        ask: asks the question; it may be called again, with Spark.
        needs_keys: False for a question that needs no keys.
    """
    check_exists(conf)
    with show_status("reading"):
        readable = open_for_reading(conf, needs_keys)
        if readable:
            with suppress(NeedsSparkError):
                return ask(readable)
    project = open_conf(conf, needs_keys, is_brief=True)
    with show_status("reading"):
        return ask(project)


def check_exists(conf: Path) -> None:
    """Refuse a main file that does not exist."""
    if not conf.is_file():
        refuse(f"{conf}: file not found: give --conf FILE, or start a project with `lifestage init DIR`")


def show_status(what: str) -> Status:
    """A temporary line on standard error that says what the command is doing. Only a terminal shows it."""
    return errors.status(Text(what, "dim"))


def parse_now(text: str | None) -> datetime:
    """The instant that --now gives; the clock by default."""
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        refuse(f"--now: {text} is not an ISO 8601 instant such as 2026-11-22T06:00:00+01:00")
    if moment.tzinfo is None:
        refuse(f"--now: {text} has no UTC offset")
    _check_year("--now", text, moment.year)
    return moment.astimezone(UTC)


def parse_date(option: str, text: str) -> date:
    """The date that an option gives."""
    try:
        given = date.fromisoformat(text)
    except ValueError:
        refuse(f"{option}: {text} is not a date such as 2026-11-21")
    _check_year(option, text, given.year)
    return given


def refuse(problem: str) -> NoReturn:
    """Refuse an option with exit code 2, before anything starts."""
    raise ConfigError([problem])


def grid(*columns: str, numbers: Sequence[str] = (), wraps: Sequence[str] = ()) -> Table:
    """A table without lines; numbers are aligned to the right, and only the columns in `wraps` wrap."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in numbers else "left",
            no_wrap=column not in wraps,
            overflow="fold",
        )
    return table


def format_minute(moment: datetime) -> str:
    """An instant in UTC, to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def print_json(value: object) -> None:
    """Print JSON on standard output; dataclasses become objects, and instants are in UTC."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_to_plain))


def _print_error(kind: str, problems: Sequence[str], exit_code: int) -> None:
    """Print an error as JSON: {"error": {"type", "problems", "exit_code"}}."""
    print_json({"error": {"type": kind, "problems": [*problems], "exit_code": int(exit_code)}})


def _list_problems(error: Exception) -> list[str]:
    """Every problem of an error, and the notes about where it happened."""
    notes = getattr(error, "__notes__", ())
    if isinstance(error, ConfigError):
        return [*map(add_line, error.problems), *notes]
    if isinstance(error, LifestageError):
        return [str(error), *notes]
    if _is_usage_error(error):
        return [error.format_message()]  # type: ignore[attr-defined]
    return [f"{type(error).__name__}: {_summarize(error)}", *notes]


def _is_usage_error(error: Exception) -> bool:
    """Whether an option or argument is wrong: an error of the command line, which says so itself."""
    return hasattr(error, "format_message")


def _check_year(option: str, text: str, year: int) -> None:
    if not 1900 <= year <= 9998:
        refuse(f"{option}: {text} is not within the years 1900 to 9998")


def _to_plain(value: object) -> object:
    """Convert a value that the json module cannot serialize."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _summarize(error: Exception) -> str:
    """The message of an engine's error without its stack. For an error about a row, the message gives only its name."""
    if isinstance(error, ROW_ERRORS) and error.getCondition():
        return (
            f"[{error.getCondition()}] an expression failed on a value of a row, which is not shown because it may name a "
            "person: use a function that returns NULL instead (TRY_CAST, try_to_timestamp, try_url_decode, ...)"
        )
    lines = str(error).strip().splitlines()
    message = takewhile(lambda line: not line.startswith(TRACE_STARTS), lines)
    # A quoted value may be somebody's address.
    return re.sub(
        r"(The value )'.*?'( of the type)", r"\1'...'\2", "\n".join(line for line in message if line.strip())
    )


def _print_problems(*problems: str) -> None:
    for problem in problems:
        errors.print(problem, style="red", soft_wrap=True)

"""report: write the report of a date again."""

from pathlib import Path
from typing import Annotated

import typer

from lifestage.cli.terminal import DEFAULT_CONF, Conf, console, open_conf, parse_date
from lifestage.platform.reporting.words import Language
from lifestage.services.completed import LATEST
from lifestage.services.report import write_report


def report(
    conf: Conf = DEFAULT_CONF,
    as_of: Annotated[str, typer.Option("--as-of", help="Date that was built, such as 2026-11-21.")] = LATEST,
    language: Annotated[
        Language | None, typer.Option(help="Language of the report; the configured one by default.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="Earlier date to compare with; the previous month-end by default."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; the configured one by default.")] = None,
) -> None:
    """Write the report of a date again, for example in another language. Builds nothing.

    Example: lifestage report --conf conf/prod.yaml --language zh --out report.zh.html
    """
    wanted = as_of if as_of == LATEST else parse_date("--as-of", as_of)
    since = parse_date("--against", against) if against else None
    path = write_report(open_conf(conf, needs_keys=False), wanted, language, out, since)
    console.print(f"report  {path}", soft_wrap=True)

"""report: the page of a date anew."""

from pathlib import Path
from typing import Annotated

import typer

from lifestage.activation.report.config import Language, ReportConfig
from lifestage.activation.report.data import read_data
from lifestage.activation.report.step import write_report
from lifestage.cli.terminal import DEFAULT_CONF, Conf, console, day, opened
from lifestage.platform.errors import NoDataError
from lifestage.platform.job import Run
from lifestage.services.readers import LATEST, known_date, reader, run_of


def report(
    conf: Conf = DEFAULT_CONF,
    as_of: Annotated[str, typer.Option("--as-of", help="Date that was built, e.g. 2026-11-21.")] = LATEST,
    language: Annotated[Language | None, typer.Option(help="As configured by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; as configured by default.")] = None,
) -> None:
    """Write the report of a date anew, for instance in another language; nothing is built.

    Example: lifestage report --conf conf/prod.yaml --language zh --out report.zh.html
    """
    wanted = as_of if as_of == LATEST else day("--as-of", as_of)
    project = opened(conf, needs_keys=False)
    read = reader(project)
    date = known_date("user_stages", read("user_stages"), wanted)
    built = run_of(project, date)
    if built is None:
        raise NoDataError(f"no run has completed {date} yet: lifestage run --conf {conf} --as-of {date}")
    run = Run(built.run_id, (date,), built.now, project.config.hash, built.code_version)
    changed = {"language": language, "path": str(out) if out else None}
    config = project.config.of(ReportConfig).model_copy(
        update={name: each for name, each in changed.items() if each}
    )
    write_report(read_data(read, run, config, project.tables["user_features"], {}), config)
    console.print(f"report  {Path(config.path).resolve()}", markup=False, soft_wrap=True)

"""report: the last run's report again."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lifestage import __version__
from lifestage.cli.terminal import DEFAULT_CONF, Conf, console, opened
from lifestage.core.errors import NoDataError
from lifestage.core.job import Run
from lifestage.reading import last_run, read_table
from lifestage.report.config import Language
from lifestage.report.data import read_data
from lifestage.report.step import write_report


def report(
    conf: Conf = DEFAULT_CONF,
    language: Annotated[Language | None, typer.Option(help="As configured by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; as configured by default.")] = None,
) -> None:
    """Write the report of the last completed run again, for instance in another language.

    Example: lifestage report --language zh --out report.zh.html --conf conf/prod.yaml
    """
    project = opened(conf, needs_keys=False)
    last = last_run(project)
    if last is None:
        raise NoDataError(f"no run has completed yet: start with `lifestage run --conf {conf}`")
    wanted = {"language": language, "path": out and str(out)}
    config = project.config.report.model_copy(update={name: each for name, each in wanted.items() if each})
    run = Run(last.run_id, last.as_of_dates, last.now, project.config.hash, __version__)
    data = read_data(partial(read_table, project), run, config, project.tables["user_features"], {})
    write_report(data, config)
    console.print(f"report  {Path(config.path).resolve()}", markup=False)

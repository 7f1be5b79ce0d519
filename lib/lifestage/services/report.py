"""The report of a date that was built before."""

from datetime import date
from pathlib import Path

from lifestage.activation.report.config import ReportConfig
from lifestage.activation.report.data import read_data
from lifestage.activation.report.step import write_report as write_page
from lifestage.platform.errors import NoDataError
from lifestage.platform.job import Run
from lifestage.platform.reporting.words import Language
from lifestage.project import runner
from lifestage.services.completed import LATEST, find_date, find_run_that_built, reader


def write_report(
    project: runner.Project,
    as_of: date | str = LATEST,
    language: Language | None = None,
    out: Path | None = None,
) -> Path:
    """Write the report of a date from the tables as they are, and return its path.

    Args:
        project: an open project.
        as_of: a date that was built; the newest one by default.
        language: as configured by default.
        out: the file; as configured by default.

    Raises:
        NoDataError: where no completed run has built the date.
    """
    read = reader(project)
    day = find_date("user_stages", read("user_stages"), as_of)
    built = find_run_that_built(project, day)
    if built is None:
        raise NoDataError(f"no run has completed {day} yet: lifestage run --as-of {day}")
    run = Run(built.run_id, (day,), built.now, project.config.hash, built.code_version)
    given = {"language": language, "path": str(out) if out else None}
    config = project.config.of(ReportConfig).model_copy(
        update={name: each for name, each in given.items() if each}
    )
    write_page(read_data(read, run, config, project.tables["user_features"], {}), config)
    return Path(config.path).resolve()

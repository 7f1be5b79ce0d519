"""Write the report of a date that is already built."""

from datetime import date
from pathlib import Path

from lifestage.activation.report.config import ReportSettings
from lifestage.activation.report.step import find_earlier_dates, write_page
from lifestage.platform.errors import NoDataError
from lifestage.platform.reporting.section import Source
from lifestage.platform.reporting.words import Language
from lifestage.platform.run import Run
from lifestage.project.opening import Project
from lifestage.project.pipeline import sections_of
from lifestage.services.completed import LATEST, find_date, find_run_that_built, reader


def write_report(
    project: Project,
    as_of: date | str = LATEST,
    language: Language | None = None,
    out: Path | None = None,
    against: date | None = None,
) -> Path:
    """Write the report of a date from the existing tables, and return its path.

    Args:
        project: an open project.
        as_of: a date that was built; the newest one by default.
        language: the configured language by default.
        out: the file to write; the configured path by default.
        against: the earlier date that movement is counted since; the month-end before by default.

    Raises:
        NoDataError: no completed run has built the date, or no rows of `against` are kept.
    """
    read = reader(project)
    day = find_date("user_stages", read("user_stages"), as_of)
    built = find_run_that_built(project, day)
    if built is None:
        raise NoDataError(f"no run has completed {day} yet: lifestage run --as-of {day}")
    run = Run(built.run_id, (day,), built.now, project.config.hash, built.code_version)
    given = {"language": language, "path": str(out) if out else None}
    settings = project.config.of(ReportSettings).model_copy(
        update={name: each for name, each in given.items() if each}
    )
    earlier = find_earlier_dates(read("runs"), run, project.config.shared.as_of.keep, against)
    source = Source(read, project.tables.__getitem__, project.config, run, earlier)
    write_page(source, sections_of(), settings)
    return Path(settings.path).resolve()

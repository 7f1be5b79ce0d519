"""The report of a run: one self-contained HTML file."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.activation.report.config import ReportSettings
from lifestage.activation.report.content import Header, compose_page, read_sections
from lifestage.platform.as_of_dates import EarlierDates, choose_earlier_dates, dates_to_keep, newest_built
from lifestage.platform.config.shared import Keep
from lifestage.platform.errors import NoDataError
from lifestage.platform.job import Job
from lifestage.platform.reporting.section import Section, Source
from lifestage.platform.reporting.words import load_words
from lifestage.platform.run import Run
from lifestage.platform.storage.atomic import write_whole


def run(job: Job, config: ReportSettings) -> None:
    """Read all sections, render the page, write it. A run of past dates leaves the page of the newest date as it is."""
    assert job.config is not None, "the report needs the configuration of all domains"
    runs = job.read("runs")
    if is_newest(runs, job.run.as_of):
        earlier = find_earlier_dates(runs, job.run, job.config.shared.as_of.keep)
        source = Source(job.read, job.table, job.config, job.run, earlier, job.commits)
        write_page(source, job.sections, config)


def is_newest(runs: DataFrame, as_of: date) -> bool:
    """Whether no completed run has built a later date."""
    return (newest_built(runs) or as_of) <= as_of


def find_earlier_dates(runs: DataFrame, run: Run, keep: Keep, against: date | None = None) -> EarlierDates:
    """The dates of which rows are kept that a report of the run compares with; movement is counted since `against`.

    Raises:
        NoDataError: `against` is no earlier date of which rows are kept.
    """
    rows = runs.select(F.explode("as_of_dates").alias("day")).distinct().collect()
    built = {row["day"] for row in rows} | {*run.as_of_dates}
    remaining = dates_to_keep(built, keep.days, keep.month_ends) | {*run.as_of_dates}
    earlier = choose_earlier_dates(remaining, run.as_of)
    if against is None:
        return earlier
    known = sorted(day for day in remaining if day < run.as_of)
    if against not in known:
        raise NoDataError(
            f"--against: no rows as of {against} are kept: choose one of {', '.join(map(str, known)) or 'no date yet'}"
        )
    return replace(earlier, before=against)


def write_page(source: Source, sections: Iterable[Section[Any]], settings: ReportSettings) -> None:
    """Read the sections and write the file that the settings name, as a whole or not at all."""
    # Only a run that reports needs the templates and the script of the charts, which take long to import.
    from lifestage.activation.report.page import render

    business, run = source.config.shared.business, source.run
    header = Header(business.name, source.as_of, run.run_id, run.now, run.code_version)
    found = read_sections(sections, source)
    folders = [each.section.texts for each in found]
    words = load_words(settings.language, settings.locale, business.currency, folders)
    page = compose_page(found, header, settings.min_cell_users, words)
    write_whole(Path(settings.path), render(page, words))

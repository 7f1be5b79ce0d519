"""The report of a run: one self-contained HTML file."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.activation.report.config import ReportSettings
from lifestage.activation.report.content import Header, compose_page, read_sections
from lifestage.platform.as_of_dates import dates_to_keep, newest_built
from lifestage.platform.config.shared import Keep
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
        before = date_before(runs, job.run, job.config.shared.as_of.keep)
        source = Source(job.read, job.table, job.config, job.run, before, job.commits)
        write_page(source, job.sections, config)


def is_newest(runs: DataFrame, as_of: date) -> bool:
    """Whether no completed run has built a later date."""
    return (newest_built(runs) or as_of) <= as_of


def date_before(runs: DataFrame, run: Run, keep: Keep) -> date | None:
    """The last date before that of the run of which rows are kept; None if there is none."""
    rows = runs.select(F.explode("as_of_dates").alias("day")).distinct().collect()
    built = {row["day"] for row in rows} | {*run.as_of_dates}
    remaining = dates_to_keep(built, keep.days, keep.month_ends) | {*run.as_of_dates}
    return max((day for day in remaining if day < run.as_of), default=None)


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

"""The report of a run: one self-contained HTML file."""

from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame

from lifestage.activation.report.config import ReportConfig
from lifestage.activation.report.content import ReportData
from lifestage.activation.report.data import read_data
from lifestage.platform.as_of_dates import newest_built
from lifestage.platform.job import Job
from lifestage.platform.reporting.words import load_words
from lifestage.platform.storage.atomic import write_whole


def run(job: Job, config: ReportConfig) -> None:
    """Read, aggregate, render, write; a run of past dates leaves the page of the newest date as it is."""
    if is_newest(job.read("runs"), job.run.as_of):
        write_report(read_data(job.read, job.run, config, job.table("user_features"), job.commits), config)


def is_newest(runs: DataFrame, as_of: date) -> bool:
    """Whether no completed run has built a later date."""
    return (newest_built(runs) or as_of) <= as_of


def write_report(data: ReportData, config: ReportConfig) -> None:
    """Write the file that the configuration names, whole or not at all."""
    # Altair takes most of a second to import: only a run that reports pays for it, not every command.
    from lifestage.activation.report.page import render

    words = load_words(config.language, config.locale, config.currency)
    write_whole(Path(config.path), render(data, words))

"""The report of a run: one self-contained HTML file."""

from pathlib import Path

from lifestage.core.atomic import write_whole
from lifestage.core.job import Job
from lifestage.report.config import ReportConfig
from lifestage.report.data import read_data


def run(job: Job, config: ReportConfig) -> None:
    """Read, aggregate, render, write."""
    # Altair takes most of a second to import: only a run that reports pays for it, not every command.
    from lifestage.report.page import render

    write_whole(Path(config.path), render(read_data(job, config)))

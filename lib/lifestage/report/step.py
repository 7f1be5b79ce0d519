"""The report of a run: one self-contained HTML file."""

from pathlib import Path

from lifestage.core.job import Job
from lifestage.report.config import ReportConfig
from lifestage.report.data import read_data


def run(job: Job, config: ReportConfig) -> None:
    """Read, aggregate, render, write. The run is not complete yet: `runs` holds only earlier ones."""
    # Altair takes most of a second to import: only a run that reports pays for it, not every command.
    from lifestage.report.page import render

    _write_whole(Path(config.path), render(read_data(job, config)))


def _write_whole(path: Path, text: str) -> None:
    """A reader finds the old file or the new one; what a killed run left is overwritten by the next."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)

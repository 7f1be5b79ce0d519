"""Write the documentation that is generated from the code: the map, jobs, schedules, tables, features, settings and commands."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from documents.commands import commands_page
from documents.features import features_page
from documents.jobs import job_file
from documents.schedules import bundle_file, dag_file
from documents.settings import settings_page
from documents.tables import tables_page
from lifestage.ingestion.reference.tables import reference_table
from lifestage.platform.config.configuration import Config
from lifestage.platform.domain import REFERENCES, Domain
from lifestage.project.loader import load_config
from lifestage.project.pipeline import DOMAINS, draw_map, steps
from lifestage.project.registry import tables_of
from lifestage.users.catalogue.model import CATALOGUE

MAP_BEGINS = "<!-- map: written by scripts/docs -->"
MAP_ENDS = "<!-- map ends -->"
# The keys that a project must set.
LEAST = "storage: {root: tables}\nbusiness: {name: Any, time_zone: UTC, history_starts_on: 2026-01-01}\n"


def packaged_config(domains: Sequence[Domain] = DOMAINS) -> Config:
    """The configuration of a project that uses only packaged files."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "main.yaml"
        file.write_text(LEAST, encoding="utf-8")
        return load_config(file, domains)


def generated(readme: str, domains: Sequence[Domain] = DOMAINS) -> dict[str, str]:
    """Every generated file by its path in the repository. `readme` is the current README."""
    config = packaged_config(domains)
    references = reference_table(REFERENCES, "", [], {})
    return {
        "README.md": with_map(readme, domains),
        "docs/tables.md": tables_page([references, *tables_of(config, domains).values()], domains),
        "docs/features.md": features_page(config.parts[CATALOGUE]),
        "docs/settings.md": settings_page(domains),
        "docs/cli.md": commands_page(),
        **{f"jobs/{step.name}.py": job_file(step) for step in steps(domains)},
        "jobs/airflow/lifestage_steps.py": dag_file(domains),
        "jobs/databricks.yml": bundle_file(domains),
    }


def with_map(text: str, domains: Sequence[Domain] = DOMAINS) -> str:
    """The text with the current map between its two markers."""
    before, begins, rest = text.partition(MAP_BEGINS)
    _, ends, after = rest.partition(MAP_ENDS)
    if not (begins and ends):
        raise ValueError(f"README.md: expected the lines {MAP_BEGINS} and {MAP_ENDS}")
    return f"{before}{map_block(domains)}{after}"


def map_block(domains: Sequence[Domain] = DOMAINS) -> str:
    """The map as a Mermaid picture, with the markers around it."""
    return f"{MAP_BEGINS}\n\n```mermaid\n{draw_map(domains)}\n```\n\n{MAP_ENDS}"

"""Check a project's configuration and keys."""

from dataclasses import dataclass
from pathlib import Path

from lifestage.activation.audiences.config import AudiencesConfig
from lifestage.analytics.stages.config import StageLadder
from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES
from lifestage.project.loader import load_config
from lifestage.project.secrets import read_secrets


@dataclass(frozen=True)
class Contents:
    """Counts of what a project configures."""

    n_sources: int
    n_reference_tables: int
    n_stages: int
    n_audiences: int


def validate(conf: Path) -> Contents:
    """Check every configuration file and the keys. A ConfigError lists every problem. Reads and writes no data."""
    config = load_config(conf)
    read_secrets(config)
    return Contents(
        len(config.parts[SOURCES]),
        len(config.parts[REFERENCE_SOURCES]),
        len(config.of(StageLadder).ladder),
        len(config.of(AudiencesConfig).audiences),
    )

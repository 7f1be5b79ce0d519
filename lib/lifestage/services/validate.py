"""Check a project's configuration and keys."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

from lifestage.activation.audiences.config import AudiencesConfig
from lifestage.analytics.stages.config import StageLadder
from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES
from lifestage.ingestion.sources.deliveries import resolve_path
from lifestage.platform.config.configuration import Config
from lifestage.platform.errors import ConfigError
from lifestage.platform.runtime.probing import probe_expressions
from lifestage.platform.runtime.session import BRIEF_SETTINGS, build_session
from lifestage.project.loader import load_config
from lifestage.project.registry import register
from lifestage.project.secrets import read_secrets
from lifestage.project.validation import list_expressions


@dataclass(frozen=True)
class Contents:
    """Counts of what a project configures."""

    n_sources: int
    n_reference_tables: int
    n_stages: int
    n_audiences: int
    without_files: tuple[str, ...]
    """Sources whose path matches no file yet, each as file, key and path. Only local paths are checked."""


def validate(conf: Path, deep: bool = False) -> Contents:
    """Check every configuration file and the keys, without reading or writing data.

    Args:
        conf: The main file.
        deep: Also start Spark and try every SQL expression (see `probe_expressions`).

    Raises:
        ConfigError: with every problem.
    """
    config = load_config(conf)
    read_secrets(config)
    if deep:
        check_expressions(config, build_session(settings={**BRIEF_SETTINGS, **config.shared.spark}))
    return Contents(
        len(config.parts[SOURCES]),
        len(config.parts[REFERENCE_SOURCES]),
        len(config.of(StageLadder).ladder),
        len(config.of(AudiencesConfig).audiences),
        tuple(_find_sources_without_files(config)),
    )


def check_expressions(config: Config, spark: SparkSession) -> None:
    """Try every SQL expression of a valid configuration with Spark.

    Raises:
        ConfigError: with each expression that Spark refuses, or that fails on a value that its columns can hold.
    """
    if problems := [*probe_expressions(spark, list_expressions(config, register(config)))]:
        raise ConfigError(problems)


def _find_sources_without_files(config: Config) -> Iterator[str]:
    sources = {f"{SOURCES.name}/{name}": source.path for name, source in config.parts[SOURCES].items()}
    references = config.parts[REFERENCE_SOURCES].items()
    sources |= {f"{REFERENCE_SOURCES.name}/{name}": source.path for name, source in references}
    for file, glob in sources.items():
        path = Path(resolve_path(glob, config.shared.landing))
        # Python's glob knows neither the file systems of a cluster nor alternatives in braces.
        is_local = "://" not in glob and "://" not in config.shared.landing and "{" not in glob
        if is_local and not any(Path(path.anchor).glob(str(path.relative_to(path.anchor)))):
            yield f"{config.folder / file}.yaml: path: no file matches {path} yet"

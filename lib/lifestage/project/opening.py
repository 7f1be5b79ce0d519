"""An open project, and the request for a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from pyspark.sql import SparkSession

from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.configuration import Config
from lifestage.platform.run import Secrets
from lifestage.platform.runtime.session import BRIEF_SETTINGS, build_session
from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.delta import DeltaStore, Location
from lifestage.platform.storage.store import Store
from lifestage.project.loader import load_config
from lifestage.project.registry import tables_of
from lifestage.project.secrets import read_secrets


@dataclass(frozen=True)
class Project:
    """A configuration with its tables and the store that holds them."""

    config: Config
    store: Store
    tables: Mapping[str, Table]
    secrets: Secrets | None
    """The keys; None if the project was opened for reading only."""

    @property
    def references(self) -> tuple[str, ...]:
        """Names of the reference tables."""
        return tuple(self.config.parts[REFERENCE_SOURCES])


@dataclass(frozen=True)
class Request:
    """What to run. Only the lock uses `wall_clock`; steps see `now`."""

    run_id: str
    as_of_dates: tuple[date, ...]
    now: datetime
    wall_clock: datetime
    steps: tuple[str, ...]
    is_job: bool = False
    accept_definitions: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    """Filled by the run: wall seconds by step."""
    bytes_written: dict[str, int] = field(default_factory=dict)
    """Filled by the run: size of the files that each step wrote."""


def open_project(
    path: Path, spark: SparkSession | None = None, needs_keys: bool = True, is_brief: bool = False
) -> Project:
    """Open the project whose main file is `path`.

    Args:
        path: the main file.
        spark: a session with Delta; a new one by default.
        needs_keys: False to only read tables, which needs no keys.
        is_brief: True for a new session that serves a few small queries.

    Raises:
        ConfigError: with every problem of the configuration, before Spark starts.
    """
    config = load_config(path)
    secrets = read_secrets(config) if needs_keys else None
    storage = config.shared.storage
    location = Location(root=_resolve_root(storage.root), schema=storage.schema_name)
    settings = {**(BRIEF_SETTINGS if is_brief else {}), **config.shared.spark}
    session = spark or build_session(settings=settings)
    return Project(config, DeltaStore(session, location), tables_of(config), secrets)


def _resolve_root(root: str | None) -> str | None:
    return root if root is None or "://" in root else str(Path(root).resolve())

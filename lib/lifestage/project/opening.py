"""An open project, and the request for a run."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from pyspark.sql import SparkSession

from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.configuration import Config
from lifestage.platform.run import Secrets
from lifestage.platform.runtime.session import BRIEF_SETTINGS, build_session
from lifestage.platform.storage.arrow import ArrowStore
from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.delta import DeltaStore, Location
from lifestage.platform.storage.reading import TableReader
from lifestage.platform.storage.store import Store
from lifestage.project.loader import load_config
from lifestage.project.registry import tables_of
from lifestage.project.secrets import read_secrets

URI = re.compile(r"[a-z][a-z0-9+.-]*:/")


@dataclass(frozen=True)
class ReadableProject:
    """A configuration with its tables and a store that reads them, with or without Spark.

    Services that only read take this type.
    """

    config: Config
    store: TableReader
    tables: Mapping[str, Table]
    secrets: Secrets | None
    """The keys; None if the project was opened for reading only."""

    @property
    def references(self) -> tuple[str, ...]:
        """Names of the reference tables."""
        return tuple(self.config.parts[REFERENCE_SOURCES])


@dataclass(frozen=True)
class Project(ReadableProject):
    """A project in Spark, which can read and write."""

    store: Store


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


def open_for_reading(
    path: Path, needs_keys: bool = False, is_checked: bool = False
) -> ReadableProject | None:
    """Open the project whose main file is `path` without Spark; None if only Spark can read its tables.

    Only Spark reads tables in a schema of a catalog, and below a root that is a URI. An installed Spark (SPARK_HOME)
    may also resolve a root without a scheme to another file system.

    Args:
        path: the main file.
        needs_keys: False to only read tables, which needs no keys.
        is_checked: False to look only for problems of form in the configuration, see `load_config`.

    Raises:
        ConfigError: with every problem of the configuration.
    """
    config = load_config(path, is_checked=is_checked)
    root = _resolve_root(config.shared.storage.root)
    if root is None or URI.match(root):
        return None
    store, tables = ArrowStore(root), tables_of(config)
    if "SPARK_HOME" in os.environ and not store.exists(tables["runs"]):
        return None
    return ReadableProject(config, store, tables, read_secrets(config) if needs_keys else None)


def with_spark(readable: ReadableProject) -> Project:
    """The same project in Spark, for reading and writing."""
    config = readable.config
    location = Location(root=_resolve_root(config.shared.storage.root))
    store = DeltaStore(build_session(settings=config.shared.spark), location)
    return Project(config, store, readable.tables, readable.secrets)


def _resolve_root(root: str | None) -> str | None:
    """The root with an absolute path, or as a URI in the form that Delta compares with its own."""
    if root is None:
        return None
    return root.replace("file:///", "file:/", 1) if URI.match(root) else str(Path(root).resolve())

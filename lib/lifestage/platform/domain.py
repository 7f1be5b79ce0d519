"""What a domain declares. Everything that concerns all domains loops over these declarations.

The loader, the registry of tables, validation, the command line, jobs, the snapshot, `explain`, the report and the
reference documentation know a domain by its declaration alone. The list of domains is in project/pipeline.py.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel

from lifestage.platform.config.configuration import Config
from lifestage.platform.config.parts import Part, Parts
from lifestage.platform.explain import Explain
from lifestage.platform.findings import Diagnose
from lifestage.platform.job import Job
from lifestage.platform.reporting.section import Section
from lifestage.platform.result import DomainResult, Result
from lifestage.platform.storage.contracts import Table

# Placeholders in `reads` and `writes` for tables whose names only the project or the map knows.
REFERENCES = "<reference tables>"
"""The project's own reference tables."""
RESULTS = "<results>"
"""The tables of every result that earlier domains of the map declare."""
RESULT_CHECKS = "<checks of results>"
"""The further tables that the checks of those results read."""
SECTIONS = "<sections>"
"""The tables that the sections of the report read."""


@dataclass(frozen=True)
class Configuration:
    """The parts of the configuration that a domain declares, and how it composes its own from all parts."""

    parts: tuple[Part[Any], ...]
    compose: Callable[[Parts], BaseModel]
    is_meaning: bool = True
    """False where it changes only how results are shown; it then stays out of the configuration's hash."""


@dataclass(frozen=True)
class Meaning:
    """A hash of what the rows of a table mean. A changed one stops a run until a backfill accepts it."""

    table: str
    hash: Callable[[Any], str]


@dataclass(frozen=True)
class Domain:
    """One domain: a folder of the package and a line of the map."""

    name: str
    """Name of its step, its job, and its configuration."""
    does: str
    """What it does, in a few words for the map."""
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    run: Callable[[Job, Any], object]
    """The step: reads, calls pure functions, checks, writes. The second argument is the domain's configuration."""
    config: Configuration
    tables: Callable[[Config, Sequence[DomainResult]], Iterable[Table]]
    """The contracts of the tables that it owns, given what earlier domains decide."""
    checks: Callable[[Config, Sequence[DomainResult]], Iterable[str]] | None = None
    """Problems that only the whole configuration can tell, as `file: key: problem`, given what earlier domains decide."""
    meaning: Meaning | None = None
    result: Result | None = None
    explain: Explain | None = None
    """How it explains one user."""
    diagnose: Diagnose | None = None
    """What `lifestage doctor` finds that concerns it."""
    section: Section[Any] | None = None
    """Its section of the report."""
    needs_date: Callable[[Any, date], date | None] | None = None
    """A further date that building an as_of needs, such as the training date of its model."""
    is_on_demand: bool = False
    """True for a domain that is no part of a run but is started by a command of its own."""

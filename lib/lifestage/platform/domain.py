"""The declaration of a domain. Code that serves all domains loops over these declarations.

The loader, the registry of tables, validation, the command line, jobs, the snapshot, `explain`, the report and the
reference documentation know a domain only by its declaration. The list of domains is in project/pipeline.py.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel

from lifestage.platform.config.configuration import Config
from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.config.parts import Part, Parts
from lifestage.platform.explain import Explain
from lifestage.platform.findings import Diagnose
from lifestage.platform.job import Job
from lifestage.platform.reporting.section import Section
from lifestage.platform.result import DomainResult, Result
from lifestage.platform.storage.contracts import Table

# Placeholders in `reads` and `writes`. The project or the map decides which tables they stand for.
REFERENCES = "<reference tables>"
"""The project's own reference tables."""
RESULTS = "<results>"
"""The tables of every result that earlier domains of the map declare."""
RESULT_CHECKS = "<checks of results>"
"""The additional tables that the checks of those results read."""
SECTIONS = "<sections>"
"""The tables that the sections of the report read."""


@dataclass(frozen=True)
class Configuration:
    """The parts that a domain declares, and the function that composes its configuration from all parts."""

    parts: tuple[Part[Any], ...]
    compose: Callable[[Parts], BaseModel]
    extend: Callable[[Parts], Parts] | None = None
    """Extends parts of other domains by what this one needs, such as windows of features. Runs before `compose`."""
    affects_results: bool = True
    """False if the configuration only changes how results are shown. Its hash then leaves it out."""


@dataclass(frozen=True)
class Meaning:
    """A hash of what the rows of a table mean. If it changes, runs stop until a backfill accepts the change."""

    table: str
    hash: Callable[[Any], str]


@dataclass(frozen=True)
class Domain:
    """One domain: a folder of the package and a line of the map."""

    name: str
    """Name of the domain, its step, its job, and its configuration."""
    does: str
    """What the domain does, in a few words. The map shows them."""
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    run: Callable[[Job, Any], object]
    """The step: reads, calls pure functions, checks, writes. The second argument is the domain's configuration."""
    config: Configuration
    tables: Callable[[Config, Sequence[DomainResult]], Iterable[Table]]
    """The contracts of the tables that the domain owns. The second argument holds the results of earlier domains."""
    checks: Callable[[Config, Sequence[DomainResult]], Iterable[str]] | None = None
    """Checks that need the whole configuration. Arguments as for `tables`; each problem is `file: key: problem`."""
    expressions: Callable[[Config, Sequence[DomainResult]], Iterable[Expression]] | None = None
    """The SQL expressions of the domain's configuration, which validation checks and a first run tries. Arguments as for `tables`."""
    meaning: Meaning | None = None
    result: Result | None = None
    explain: Explain | None = None
    """How the domain explains one user."""
    diagnose: Diagnose | None = None
    """The checks of `lifestage doctor` that concern the domain."""
    section: Section[Any] | None = None
    """The domain's section of the report."""
    needs_date: Callable[[Any, date], date | None] | None = None
    """Another date that must be built for an as_of, such as the training date of its model; None if there is none."""
    is_on_demand: bool = False
    """True if the domain is not part of a run. A separate command starts it."""

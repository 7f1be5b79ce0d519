"""What a domain declares for its section of the report, and what a section reads and returns.

The report reads each section's data, merges the cells and equations of all sections, decides once which cells may be
shown, and then renders each section.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date
from threading import Lock
from typing import Any, Generic, TypeVar

from pyspark.sql import DataFrame

from lifestage.platform.as_of_dates import EarlierDates
from lifestage.platform.config.configuration import Config
from lifestage.platform.reporting.disclosure import Cell, Disclosure, Equation
from lifestage.platform.reporting.grids import Chart, Grid, Tile
from lifestage.platform.reporting.words import Words
from lifestage.platform.run import Run
from lifestage.platform.storage.contracts import Table

DataT = TypeVar("DataT")
ValueT = TypeVar("ValueT")

# Chapters that several sections add to.
DATA = "data"
"""The quality of the data."""
MADE = "made"
"""How the report was made: rules in force, snapshots and runs."""


@dataclass(frozen=True, eq=False)
class Source:
    """What a section reads: tables and configuration, for the newest date of a run."""

    read: Callable[[str], DataFrame]
    """Reads the rows of a table that the section declares."""
    table: Callable[[str], Table]
    """Gives the contract of such a table."""
    config: Config
    run: Run
    earlier: EarlierDates = field(default_factory=EarlierDates)
    """The dates that numbers are compared with."""
    commits: Mapping[str, int] = field(default_factory=dict)
    """Version of each table that the run has written."""
    _results: dict[Callable[["Source"], Any], "Future[Any]"] = field(default_factory=dict, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    @property
    def as_of(self) -> date:
        """The date of the report."""
        return self.run.as_of

    @property
    def before(self) -> date | None:
        """The date that movement is counted since; None for the first date."""
        return self.earlier.before

    def compute_once(self, compute: Callable[["Source"], ValueT]) -> ValueT:
        """The result of a function of this source. Sections that share the function share its result."""
        with self._lock:
            is_first = compute not in self._results
            result: Future[ValueT] = self._results.setdefault(compute, Future())
        if is_first:
            try:
                result.set_result(compute(self))
            except BaseException as error:
                result.set_exception(error)
        return result.result()


@dataclass(frozen=True)
class Chapter:
    """One chapter of the page, or part of one. `notes` are sentences before the figures.

    The section with the key of a chapter gives its title and introduction. Other sections may add notes and figures.
    """

    key: str
    title: str = ""
    about: str = ""
    notes: tuple[str, ...] = ()
    figures: tuple[Chart | Grid, ...] = ()


@dataclass(frozen=True)
class Sentence:
    """A sentence of the summary, and the key of the figure or chapter that it links to."""

    text: str
    target: str


@dataclass(frozen=True)
class Summary:
    """What a section adds to the top of the page. `facts` are labels with their values."""

    tiles: tuple[Tile, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


def no_cells(data: Any) -> Mapping[Cell, int]:  # noqa: ARG001
    """The cells of a section without numbers of users."""
    return {}


def no_equations(data: Any) -> Iterable[Equation]:  # noqa: ARG001
    """The equations of a section about whose cells a reader knows nothing."""
    return ()


def no_summary(data: Any, seen: Disclosure, words: Words) -> Summary:  # noqa: ARG001
    """The summary of a section without a headline."""
    return Summary()


@dataclass(frozen=True)
class Section(Generic[DataT]):
    """A domain's section of the report. `DataT` is a frozen dataclass of plain rows that the domain owns."""

    key: str
    """Key of the chapter that it introduces."""
    place: int
    """Chapters come in ascending order of their place."""
    reads: tuple[str, ...]
    """Tables that it reads."""
    texts: str
    """Folder of the package with a file of its texts for each language."""
    read: Callable[[Source], DataT]
    render: Callable[[DataT, Disclosure, Words], Iterable[Chapter]]
    """Its chapter, and what it adds to other chapters."""
    cells: Callable[[DataT], Mapping[Cell, int]] = no_cells
    """Every number of users on the page that may be small."""
    equations: Callable[[DataT], Iterable[Equation]] = no_equations
    """What a reader knows about its cells and those of other sections."""
    summary: Callable[[DataT, Disclosure, Words], Summary] = no_summary

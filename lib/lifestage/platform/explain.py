"""How a domain explains one user: the rows that it needs, its part of the answer, and its lines on a terminal.

services/explain.py reads the rows of every domain at once and merges their answers in the order of the map. Answers need
no Spark. services/what_if.py asks each domain what hypotheses about the user would change, which needs Spark.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import DataFrame

from lifestage.platform.hypotheses import Hypotheses
from lifestage.platform.plurals import count_of
from lifestage.platform.user_rows import Scope, UserFrames, UserRows

Line = tuple[str, str]
"""A title, and the text beside it."""
BLANK: Line = ("", "")


def no_answer(_rows: UserRows, _config: Any) -> Mapping[str, Any]:
    """The answer of a domain that adds nothing."""
    return {}


def no_lines(_answer: Mapping[str, Any], _width: int) -> Iterable[Line]:
    """The lines of a domain that shows nothing."""
    return ()


@dataclass(frozen=True)
class ResultColumn:
    """A column that holds a result for each user."""

    table: str
    """A table that `assume` returns, unique per user_id and as_of."""
    column: str
    title: str
    """Title of the result on a terminal."""


@dataclass(frozen=True)
class Explain:
    """How a domain explains one user. An argument of type Any is the domain's configuration."""

    reads: Mapping[str, Scope]
    """The tables that the domain needs. Domains that read the same table use the same scope."""
    answer: Callable[[UserRows, Any], Mapping[str, Any]] = no_answer
    """The domain's part of the answer, by key."""
    lines: Callable[[Mapping[str, Any], int], Iterable[Line]] = no_lines
    """The lines on a terminal, made from the whole answer and the width of the terminal."""
    assume: Callable[[Hypotheses, Any], Mapping[str, DataFrame]] | None = None
    """The rows of the domain's tables under hypotheses. The order of calls is the order of the map."""
    results: tuple[ResultColumn, ...] = ()
    """The results whose changes `lifestage explain` shows."""
    typical_purchase: Callable[[UserFrames, Any], int | None] | None = None
    """The value of a typical purchase of the user, in minor units; None if the domain knows none.

    The first domain that knows a value decides.
    """


def value_lines(values: Mapping[str, Any] | None) -> Iterator[Line]:
    """One line per value in two columns, sorted by name. NULL is shown as unknown."""
    known = values or {}
    width = max(map(len, known), default=0)
    for name in sorted(known):
        yield "", f"{name:<{width}}  {'unknown' if known[name] is None else known[name]}"


def title_first(title: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row with its title: the given title for the first row, an empty one for the others."""
    for n, row in enumerate(rows):
        yield ("" if n else title), row


def format_date(day: date) -> str:
    """A date in words, such as 1 March 2026."""
    return f"{day.day} {day:%B %Y}"


def format_days(n: int) -> str:
    """A number of days, such as 1 day or 2 days."""
    return count_of(n, "day")


def shorten(pseudonym: str) -> str:
    """The first letters of a pseudonym, enough to recognize it."""
    return pseudonym[:12]

"""How a domain explains one user: the rows that it needs, its part of the answer, and its lines on a terminal.

services/explain.py reads the rows of every domain at once and merges their answers in the order of the map.
services/what_if.py asks each domain what hypotheses about the user would change.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import DataFrame

from lifestage.platform.hypotheses import Hypotheses
from lifestage.platform.user_rows import Scope, UserRows

Line = tuple[str, str]
"""A title, and the text beside it."""
BLANK: Line = ("", "")


def no_answer(_rows: UserRows, _config: Any) -> Mapping[str, Any]:
    """The part of a domain that adds nothing to the answer."""
    return {}


def no_lines(_answer: Mapping[str, Any], _width: int) -> Iterable[Line]:
    """The lines of a domain that adds nothing to the answer."""
    return ()


@dataclass(frozen=True)
class ResultColumn:
    """A column that holds a result of each user."""

    table: str
    """A table that `assume` gives, unique per user_id and as_of."""
    column: str
    title: str
    """What a terminal calls it."""


@dataclass(frozen=True)
class Explain:
    """How a domain explains one user. Each function gets the domain's configuration where it takes one."""

    reads: Mapping[str, Scope]
    """The tables that it needs. Domains that read the same table use the same scope."""
    answer: Callable[[UserRows, Any], Mapping[str, Any]] = no_answer
    """Its part of the answer, by key."""
    lines: Callable[[Mapping[str, Any], int], Iterable[Line]] = no_lines
    """What a terminal of some width shows of the whole answer."""
    assume: Callable[[Hypotheses, Any], Mapping[str, DataFrame]] | None = None
    """The rows of its tables under hypotheses. Domains are asked in the order of the map."""
    results: tuple[ResultColumn, ...] = ()
    """The results whose changes are explained."""
    typical_purchase: Callable[[UserRows, Any], int | None] | None = None
    """The value of a purchase that the user may make, in minor units; None where the domain knows of none.

    The first domain that knows one decides.
    """


def value_lines(values: Mapping[str, Any] | None) -> Iterator[Line]:
    """One line a value, by name, in two columns; NULL is unknown."""
    known = values or {}
    width = max(map(len, known), default=0)
    for name in sorted(known):
        yield "", f"{name:<{width}}  {'unknown' if known[name] is None else known[name]}"


def title_first(title: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row with a title, which only the first one shows."""
    for n, row in enumerate(rows):
        yield ("" if n else title), row


def format_date(day: date) -> str:
    """A date in words, such as 1 March 2026."""
    return f"{day.day} {day:%B %Y}"


def format_days(n: int) -> str:
    """A number of days, such as 1 day or 2 days."""
    return f"{n} day" if n == 1 else f"{n} days"


def shorten(pseudonym: str) -> str:
    """The first letters of a pseudonym, enough to recognize it."""
    return pseudonym[:12]

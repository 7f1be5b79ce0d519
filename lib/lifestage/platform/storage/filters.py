"""Filters of rows that every engine understands. A sequence of filters keeps the rows for which all of them are true.

Rows are filtered where they are read, so that an answer about one user does not load a table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

Value = date | str | int


@dataclass(frozen=True)
class Is:
    """The column has one of some values."""

    column: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class UpTo:
    """The column is at most a value."""

    column: str
    value: date | int


@dataclass(frozen=True)
class After:
    """The column is greater than a value."""

    column: str
    value: date | int


@dataclass(frozen=True)
class HashIs:
    """The first hexadecimal digits of SHA-256 of a prefix and the column are one of some values."""

    column: str
    prefix: str
    length: int
    values: tuple[str, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one of some filters is true."""

    filters: tuple["Filter", ...]


Filter = Is | UpTo | After | HashIs | AnyOf
Where = Sequence[Filter]


def is_in(column: str, values: Iterable[Value]) -> Is:
    """The column has one of the values, which can repeat."""
    return Is(column, tuple(dict.fromkeys(values)))

"""Filters of rows as conditions of Spark."""

from collections.abc import Collection, Iterator
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.storage.filters import After, AnyOf, Filter, HashIs, Is, UpTo, Where

_GIVEN = "_given"


def keep_rows(rows: DataFrame, where: Where, identifiers: Collection[str]) -> DataFrame:
    """The rows for which all filters are true. NULL is in no filter.

    Args:
        rows: any frame.
        where: the filters.
        identifiers: columns whose values must not become literals, because query plans show literals.
    """
    hidden = [
        each
        for each in _leaves(where)
        if isinstance(each, HashIs) or (isinstance(each, Is) and each.column in identifiers)
    ]
    # One row holds the hidden values as arrays of text. It is joined to every row.
    given = [tuple([str(value) for value in each.values] for each in hidden)]
    names = [f"v{n} array<string>" for n, _ in enumerate(given[0])]
    columns = rows.columns
    if names:
        row = local_rows(rows.sparkSession, given, ", ".join(names))
        rows = rows.crossJoin(F.broadcast(row.select(F.struct("*").alias(_GIVEN))))
    for each in where:
        rows = rows.where(_condition(each, hidden))
    return rows.select(*columns)


def _leaves(where: Where) -> Iterator[Is | UpTo | After | HashIs]:
    for each in where:
        if isinstance(each, AnyOf):
            yield from _leaves(each.filters)
        else:
            yield each


def _condition(asked: Filter, hidden: list[Is | HashIs]) -> Column:
    match asked:
        case AnyOf(filters):
            return reduce(Column.__or__, [_condition(each, hidden) for each in filters])
        case UpTo(column, value):
            return F.col(column) <= F.lit(value)
        case After(column, value):
            return F.col(column) > F.lit(value)
        case HashIs(column, prefix, length, _):
            digits = F.substring(F.sha2(F.concat(F.lit(prefix), F.col(column)), 256), 1, length)
            return F.array_contains(F.col(f"{_GIVEN}.v{hidden.index(asked)}"), digits)
        case Is(column, _) if asked in hidden:
            return F.array_contains(F.col(f"{_GIVEN}.v{hidden.index(asked)}"), F.col(column))
        case Is(column, values):
            return F.col(column).isin(*values)

"""Try the SQL expressions of a configuration on rows of odd values, before a run meets such values."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.config.expressions import TYPES_BY_KIND, columns_of
from lifestage.platform.runtime.frames import local_rows

# So each text, of which there are most, stands beside several values of columns of other types.
N_ROWS = 60
DAYS = (date(1970, 1, 1), date(2024, 2, 29), date(2026, 3, 29), date(2026, 12, 31))
# Larger numbers would overflow in the product of two columns.
NUMBERS = (0, 1, -1, 7, 1000)
ODD_VALUES: Mapping[type[T.DataType], Sequence[Any]] = {
    T.StringType: (
        "", " ", "x", "0", "-1", "3.5", "1,5", "(", "%", "|", "2026-02-30", "2026-03-29T02:30:00", "9" * 25, "Ä€",
    ),
    T.BooleanType: (True, False),
    T.DateType: DAYS,
    T.TimestampType: tuple(datetime(day.year, day.month, day.day, 2, 30, tzinfo=UTC) for day in DAYS),
    T.DoubleType: (*map(float, NUMBERS), 0.5, float("nan")),
    T.DecimalType: tuple(map(Decimal, NUMBERS)),
    T.BinaryType: (b"",),
    T.MapType: ({},),
}  # fmt: skip

Try = Callable[[DataFrame], object]


def probe_expressions(spark: SparkSession, expressions: Iterable[Expression]) -> Iterator[str]:
    """Yield a problem for each expression that Spark refuses, or that fails on a value that its columns can hold.

    Spark analyses the expressions over their declared columns, and evaluates them on rows of odd values: NULL, odd
    texts, zero, negative numbers, days without a local time. Overflows are not found.

    Args:
        spark: A session with the settings of a run.
        expressions: Expressions in which `Expression.problems` finds none.
    """
    for columns, group in _group_by_columns(expressions).items():
        used = {name for each in group for name in columns_of(each.sql)}
        # Constants need a row as well.
        names = used & {name for name, _ in columns} or {columns[0][0]}
        rows = build_odd_rows(spark, {name: sql_type for name, sql_type in columns if name in names})
        refused = dict(_find_failing(rows, group, _analyse))
        accepted = [each for each in group if each not in refused]
        failing = dict(_find_failing(rows, accepted, _evaluate))
        for each, error in refused.items():
            yield f"{each.place}: {_shorten(error)}, in: {each.sql}"
        for each, field in zip(accepted, _select(rows, accepted).schema, strict=True):
            sql_type, expected = field.dataType.simpleString(), TYPES_BY_KIND[each.kind]
            if each in failing:
                yield f"{each.place}: fails the run on one bad row: {_shorten(failing[each])}, in: {each.sql}"
            elif expected and sql_type.partition("(")[0].upper() not in expected:
                yield f"{each.place}: gives {sql_type}, expected {each.kind}, in: {each.sql}"


def build_odd_rows(spark: SparkSession, columns: Mapping[str, str]) -> DataFrame:
    """Build rows of odd values: one of NULLs, then every value of a column, beside changing values of the others.

    Args:
        spark: The session.
        columns: Column to SQL type. The columns of a joined table, `table.column`, become the fields of a struct.
    """
    schema: dict[str, dict[str, T.DataType]] = {}
    for name, sql_type in columns.items():
        table, _, field = name.rpartition(".")
        schema.setdefault(table or name, {})[field] = _parse_type(sql_type)
    joined = {name for name, fields in schema.items() if f"{name}.{next(iter(fields))}" in columns}
    kinds = [
        T.StructField(name, _to_struct(fields) if name in joined else fields[name])
        for name, fields in schema.items()
    ]
    declared = T.StructType(kinds)
    rows = [
        [_pick(field.dataType, row, place) for place, field in enumerate(declared)] for row in range(N_ROWS)
    ]
    return local_rows(spark, [[None] * len(kinds), *rows], declared)


@cache
def _parse_type(sql_type: str) -> T.DataType:
    return T.DataType.fromDDL(sql_type)


def _group_by_columns(
    expressions: Iterable[Expression],
) -> dict[tuple[tuple[str, str], ...], list[Expression]]:
    groups: dict[tuple[tuple[str, str], ...], list[Expression]] = {}
    for each in expressions:
        groups.setdefault(tuple(sorted(each.columns.items())), []).append(each)
    return groups


def _to_struct(fields: Mapping[str, T.DataType]) -> T.StructType:
    return T.StructType([T.StructField(name, kind) for name, kind in fields.items()])


def _pick(kind: T.DataType, row: int, place: int) -> Any:
    """Return the value of a column in a row.

    Each column begins at another value, and at yet another one when its values come again, so that two columns meet in
    many pairs.
    """
    if isinstance(kind, T.StructType):
        return [_pick(field.dataType, row, place + number) for number, field in enumerate(kind)]
    if isinstance(kind, T.ArrayType):
        return [_pick(kind.elementType, row, place)] * (row % 3)
    values = ODD_VALUES.get(type(kind), NUMBERS)
    if isinstance(kind, T.DecimalType):
        values = [value for value in values if abs(value) < 10 ** (kind.precision - kind.scale)]
    choices = [None, *values]
    n_rounds = row // len(choices)
    return choices[(row + place * (1 + n_rounds)) % len(choices)]


def _find_failing(
    rows: DataFrame, expressions: Sequence[Expression], try_rows: Try
) -> Iterator[tuple[Expression, Exception]]:
    """Yield each expression that fails, with its error. Tries all at once, then each half of a group that fails."""
    if not expressions:
        return
    try:
        try_rows(_select(rows, expressions))
    except (Py4JJavaError, PySparkException) as error:
        if len(expressions) == 1:
            yield expressions[0], error
            return
        middle = len(expressions) // 2
        yield from _find_failing(rows, expressions[:middle], try_rows)
        yield from _find_failing(rows, expressions[middle:], try_rows)


def _select(rows: DataFrame, expressions: Sequence[Expression]) -> DataFrame:
    return rows.select(*[F.expr(each.sql).alias(f"_{number}") for number, each in enumerate(expressions)])


def _analyse(results: DataFrame) -> None:
    _ = results.schema


def _evaluate(results: DataFrame) -> None:
    results.write.format("noop").mode("overwrite").save()


def _shorten(error: Exception) -> str:
    """Return what Spark says about an expression in one line, with the function that it recommends instead."""
    text = " ".join(str(error).split("\n\n", 1)[0].split())
    text = re.sub(r"^\[[A-Z0-9_.]+\] ", "", re.sub(r"\.? SQLSTATE:.*| on search path \[.*?\]", "", text))
    first, *others = re.split(r"(?<=\w|\)|\"|`)\. (?=[A-Z])", text)
    advice = next((each for each in others if each.startswith("Use `")), "")
    return f"{first}. {advice}".strip(" .")

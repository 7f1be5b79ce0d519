"""Feature values as whole numbers, so that counts, sums and quantiles over users are exact."""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

# Steps per unit; and the greatest value kept: 2^32 * 2^20 = 2^52 is exact as bigint and as double.
STEPS = 2**20
LIMIT = float(2**32)


def grid_column(expression: str, *, log: bool) -> Column:
    """The expression in steps of 2^-20 as bigint: round(x * 2^20), x after log1p where `log`.

    NULL and NaN give NULL. The log of a negative value is that of its size, with the sign: net spend can be
    below zero. The log is the JVM's: numpy's may differ in its last bit with the position in an array.
    """
    value = F.expr(expression).cast("double")
    known = value.isNotNull() & ~F.isnan(value)
    number = F.signum(value) * F.log1p(F.abs(value)) if log else value
    bounded = F.greatest(F.least(number, F.lit(LIMIT)), F.lit(-LIMIT))
    return F.when(known, F.rint(bounded * STEPS).cast("bigint"))


def grid_columns(features: Iterable[tuple[str, bool]]) -> list[Column]:
    """A grid column per (expression, log), named g0, g1, ..."""
    return [
        grid_column(expression, log=log).alias(f"g{index}")
        for index, (expression, log) in enumerate(features)
    ]

"""Feature values as whole numbers, so that counts, sums and quantiles over users are exact."""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

# Steps per unit, and the largest value: 2^32 * 2^20 = 2^52 is exact both as bigint and as double.
STEPS = 2**20
LIMIT = float(2**32)


def grid_column(expression: str, *, log: bool) -> Column:
    """Return the expression in steps of 2^-20 as bigint: round(x * 2^20), of log1p(x) if `log`.

    NULL and NaN give NULL. Values beyond +-2^32 are clipped. For a negative x, such as net spend below zero, the log is
    -log1p(-x). Spark computes the log: numpy's may differ in the last bit with the position in an array.
    """
    value = F.expr(expression).cast("double")
    is_known = value.isNotNull() & ~F.isnan(value)
    number = F.signum(value) * F.log1p(F.abs(value)) if log else value
    bounded = F.greatest(F.least(number, F.lit(LIMIT)), F.lit(-LIMIT))
    return F.when(is_known, F.rint(bounded * STEPS).cast("bigint"))


def grid_columns(features: Iterable[tuple[str, bool]]) -> list[Column]:
    """Return a grid column for each (expression, log), named g0, g1, and so on."""
    return [
        grid_column(expression, log=log).alias(f"g{index}")
        for index, (expression, log) in enumerate(features)
    ]

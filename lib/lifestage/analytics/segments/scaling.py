"""Turn feature values into coordinates: fill missing values, clip, and standardize.

Parameters are exact, and the driver and the executors compute the same bits from them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.segments.grid import STEPS
from lifestage.analytics.segments.quantiles import Extent, exact_quantiles

# Coordinates are multiples of 2^-16 standard deviations, at most 64 standard deviations from the mean. Squared distances
# over 63 features then stay below 2^53, where float64 is exact with any BLAS and any batch size.
GRID = 2.0**16
BOUND = 64.0

MEDIAN = Fraction(1, 2)


@dataclass(frozen=True)
class Feature:
    """A feature of the model: a SQL expression over user_features, and whether to take log1p of it."""

    name: str
    expression: str
    log: bool


@dataclass(frozen=True)
class ScaledFeature(Feature):
    """A feature with its fitted parameters, all after log1p if `log`. The scale of a constant is 1."""

    median: float
    low: float
    high: float
    mean: float
    scale: float

    @property
    def is_constant(self) -> bool:
        """Whether all users have one value after clipping, so that the feature separates nobody."""
        return self.low == self.high


def measure_extents(grid: DataFrame, names: Sequence[str]) -> tuple[int, dict[str, Extent]]:
    """Return the number of rows, and the extent of each column that has a value, in one pass."""
    sizes = [agg(name) for name in names for agg in (F.min, F.max, F.count)]
    n_rows, *values = grid.agg(F.count(F.lit(1)), *sizes).collect()[0]
    triples = zip(names, values[0::3], values[1::3], values[2::3], strict=True)
    return n_rows, {name: Extent(low, high, count) for name, low, high, count in triples if count}


def fit_scaling(
    grid: DataFrame, features: Mapping[str, Feature], extents: Mapping[str, Extent], clip: tuple[float, float]
) -> tuple[ScaledFeature, ...]:
    """Return the features with median, clip bounds, mean and standard deviation, exact for any row order.

    Median and clip bounds are quantiles of the known values. Mean and standard deviation come after filling and clipping.
    A feature without any value is 0 everywhere, and so a constant.

    Args:
        grid: One row for each user, with a grid column for each feature.
        features: The features by the name of their grid column.
        extents: The extents of the columns that have a value.
        clip: The percentiles of the clip bounds.
    """
    low, high = (Fraction(str(percent)) / 100 for percent in clip)
    found = exact_quantiles(grid, extents, (MEDIAN, low, high))
    quantiles = {name: found.get(name, (0, 0, 0)) for name in features}
    sums = [total for name in features for total in _power_sums(name, quantiles[name])]
    n_rows, *totals = grid.agg(F.count(F.lit(1)), *sums).collect()[0]
    pairs = zip(totals[0::2], totals[1::2], strict=True)
    return tuple(
        _fit_feature(features[name], quantiles[name], n_rows, int(total), int(squares))
        for name, (total, squares) in zip(features, pairs, strict=True)
    )


def to_coordinates(
    columns: Sequence[pa.Array | pa.ChunkedArray], features: Sequence[ScaledFeature]
) -> NDArray[np.float64]:
    """Return coordinates (features x users) in grid steps for the grid columns of the features; the median replaces NULL.

    Each step is a single IEEE operation per value, so neither SIMD nor the size of the batch can change a bit.
    """
    coordinates = np.empty((len(features), len(columns[0]) if columns else 0))
    for index, (column, feature) in enumerate(zip(columns, features, strict=True)):
        known = column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy()
        values = known.astype(np.float64) / STEPS
        filled = np.where(np.isnan(values), feature.median, values)
        deviations = (np.clip(filled, feature.low, feature.high) - feature.mean) / feature.scale
        coordinates[index] = np.rint(np.clip(deviations, -BOUND, BOUND) * GRID)
    # Adding 0 turns -0.0 into 0.0, so that equal coordinates have equal bytes.
    return coordinates + 0.0


def _power_sums(name: str, quantiles: tuple[int, ...]) -> tuple[Column, Column]:
    """Return the sum and the sum of squares above the lower clip bound, as decimals because squares can pass 2^63."""
    median, low, high = quantiles
    filled = F.coalesce(name, F.lit(median))
    above = (F.least(F.greatest(filled, F.lit(low)), F.lit(high)) - F.lit(low)).cast("decimal(18,0)")
    return F.sum(above), F.sum(above * above)


def _fit_feature(
    feature: Feature, quantiles: tuple[int, ...], n_rows: int, total: int, squares: int
) -> ScaledFeature:
    median, low, high = (value / STEPS for value in quantiles)
    mean = Fraction(quantiles[1]) + Fraction(total, n_rows)
    variance = Fraction(n_rows * squares - total * total, n_rows * n_rows)
    scale = sqrt(variance) / STEPS if variance else 1.0
    return ScaledFeature(
        feature.name, feature.expression, feature.log, median, low, high, float(mean / STEPS), scale
    )

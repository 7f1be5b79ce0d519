from decimal import Decimal
from math import log1p, sqrt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.segments.builders import feature
from lifestage.analytics.segments.grid import STEPS, grid_column, grid_columns
from lifestage.analytics.segments.scaling import (
    BOUND,
    GRID,
    Feature,
    fit_scaling,
    measure_extents,
    to_coordinates,
)


@pytest.mark.parametrize(
    ("sql", "log", "expected"),
    [
        ("CAST(3 AS BIGINT)", False, 3 * STEPS),
        ("CAST(2.25 AS DECIMAL(18,2))", False, 2.25 * STEPS),
        ("CAST(0.1 AS DOUBLE)", False, 104858),
        ("true", False, STEPS),
        ("CAST(NULL AS BIGINT)", False, None),
        ("CAST('NaN' AS DOUBLE)", False, None),
        ("CAST('Infinity' AS DOUBLE)", False, 2**52),
        ("CAST('-Infinity' AS DOUBLE)", True, -(2**52)),
        ("CAST(9 AS BIGINT)", True, round(log1p(9) * STEPS)),
        ("CAST(-9 AS BIGINT)", True, -round(log1p(9) * STEPS)),
    ],
)
def test_any_number_becomes_a_whole_number_of_steps(spark, sql, log, expected):
    assert spark.range(1).select(grid_column(sql, log=log)).collect() == [(expected,)]


def fit(spark, rows, schema, clip=(0, 100)):
    features = {
        f"g{i}": Feature(f"f{i}", name, False)
        for i, name in enumerate(schema.replace(" double", "").split(", "))
    }
    grid = spark.createDataFrame(rows, schema).select(
        *grid_columns((f.expression, f.log) for f in features.values())
    )
    _, extents = measure_extents(grid, list(features))
    return fit_scaling(grid, features, extents, clip)


def test_known_parameters_after_fill_and_clip(spark):
    (fitted,) = fit(spark, [(0.0,), (1.0,), (2.0,), (None,), (100.0,)], "a double", clip=(0, 75))
    # Known values 0 1 2 100: median 1, p75 2; filled and clipped 0 1 2 1 2.
    assert (fitted.median, fitted.low, fitted.high) == (1.0, 0.0, 2.0)
    assert fitted.mean == 1.2
    assert fitted.scale == pytest.approx(sqrt(0.56), rel=1e-15)


def test_a_constant_and_an_unknown_feature_are_zero_everywhere(spark):
    fitted = fit(spark, [(5.0, None), (5.0, None), (None, None)], "a double, b double")
    assert [(each.median, each.mean, each.scale) for each in fitted] == [(5.0, 5.0, 1.0), (0.0, 0.0, 1.0)]
    columns = [pa.array([5 * STEPS, None, 9 * STEPS]), pa.array([None, 3, 7], pa.int64())]
    assert to_coordinates(columns, fitted).tolist() == [[0.0] * 3, [0.0] * 3]


def test_coordinates_are_filled_clipped_and_bounded():
    spread = feature(median=1.0, low=-4.0, high=1000.0, mean=2.0, scale=2.0)
    column = pa.array([2 * STEPS, 4 * STEPS, None, -50 * STEPS, 900 * STEPS])
    assert (to_coordinates([column], [spread]) / GRID).tolist() == [[0.0, 1.0, -0.5, -3.0, BOUND]]


@given(
    st.lists(st.one_of(st.none(), st.integers(-(2**52), 2**52)), min_size=1, max_size=50), st.integers(0, 50)
)
def test_coordinates_do_not_depend_on_the_batch(values, cut):
    fitted = [feature(median=0.3, low=-1e6, high=1e7, mean=1 / 3, scale=sqrt(7))]
    whole = to_coordinates([pa.array(values, pa.int64())], fitted)
    parts = [to_coordinates([pa.array(part, pa.int64())], fitted) for part in (values[:cut], values[cut:])]
    assert np.hstack(parts).tobytes() == whole.tobytes()


def test_decimals_and_doubles_of_one_value_are_one_value(spark):
    rows = spark.createDataFrame([(Decimal("19.99"), 19.99)], "a decimal(18,2), b double")
    assert len(set(rows.select(grid_column("a", log=True), grid_column("b", log=True)).collect()[0])) == 1

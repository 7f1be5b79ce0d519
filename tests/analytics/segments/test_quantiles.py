from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifestage.analytics.segments.quantiles import Extent, exact_quantiles
from lifestage.analytics.segments.scaling import measure_extents

SHARES = (Fraction(1, 100), Fraction(1, 2), Fraction(99, 100), Fraction(1))


def quantiles(spark, values, shares=SHARES, partitions=1):
    rows = spark.createDataFrame([(value,) for value in values], "g0 bigint").repartition(partitions)
    _, extents = measure_extents(rows, ["g0"])
    return exact_quantiles(rows, extents, shares)["g0"]


def by_definition(values, share):
    known = sorted(value for value in values if value is not None)
    return next(value for rank, value in enumerate(known, 1) if Fraction(rank, len(known)) >= share)


@pytest.mark.parametrize(
    ("values", "median"),
    [
        ([5], 5),
        ([1, 2], 1),
        ([1, 2, 3], 2),
        ([1, 1, 1, 9], 1),
        ([1, 9, 9, 9, None, None], 9),
        ([-(2**52), 2**52, 0], 0),
        ([2**30 + i for i in range(101)], 2**30 + 50),
    ],
)
def test_a_quantile_is_the_least_value_with_enough_share(spark, values, median):
    assert quantiles(spark, values, [Fraction(1, 2)]) == (median,)


@settings(max_examples=3, deadline=None)
@given(st.lists(st.one_of(st.integers(-(2**45), 2**45), st.integers(-3, 3)), min_size=1, max_size=60))
def test_quantiles_equal_the_definition_for_any_values(spark_session, values):
    expected = tuple(by_definition(values, share) for share in SHARES)
    assert quantiles(spark_session, values) == expected
    assert quantiles(spark_session, values[::-1], partitions=3) == expected


def test_columns_without_values_have_no_extent(spark):
    rows = spark.createDataFrame([(1, None), (7, None)], "a bigint, b bigint")
    assert measure_extents(rows, ["a", "b"]) == (2, {"a": Extent(1, 7, 2)})
    assert measure_extents(rows.limit(0), ["a", "b"]) == (0, {})

"""Pivot tables of a report, computed by pandas-on-Spark.

The functions import pandas-on-Spark themselves: only a run that reports needs it.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

USERS = "n_users"


def pivot(
    rows: DataFrame, by: Sequence[str], sums: Sequence[str] = ()
) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """Number of rows (`n_users`) and sums of some columns for each combination of `by`. NULL is a value of its own.

    The results are exact and come to the driver, so the combinations must be few. This groups rows instead of calling
    pivot_table of pandas-on-Spark, which splits column names at underscores. Each section arranges the groups as it needs.
    """
    counted = rows.select(*by, *sums, F.lit(1).alias(USERS))
    groups = counted.pandas_api().groupby(list(by), dropna=False).sum().to_pandas()
    totals: list[dict[str, Any]] = groups.to_dict("records")  # type: ignore[assignment]
    return {_replace_nan(key): row for key, row in zip(groups.index, totals, strict=True)}


@contextmanager
def unordered_index() -> Iterator[None]:
    """Give frames an index without order, which costs no pass over the rows. The setting belongs to the session."""
    import pyspark.pandas as ps
    from pyspark.pandas.utils import PandasAPIOnSparkAdviceWarning

    with ps.option_context("compute.default_index_type", "distributed"), warnings.catch_warnings():
        # pandas-on-Spark advises on every result that comes to the driver.
        warnings.simplefilter("ignore", PandasAPIOnSparkAdviceWarning)
        yield


def _replace_nan(key: Any) -> tuple[Any, ...]:
    """A key of an index with None in place of the NaN of pandas."""
    import pandas as pd

    parts = key if isinstance(key, tuple) else (key,)
    return tuple(None if pd.isna(part) else part for part in parts)

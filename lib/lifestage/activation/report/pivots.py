"""Pivot tables of a report, computed by pandas-on-Spark."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pyspark.pandas as ps
from pyspark.pandas.utils import PandasAPIOnSparkAdviceWarning
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

USERS = "n_users"


def pivot(
    rows: DataFrame, by: Sequence[str], sums: Sequence[str] = ()
) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """Number of rows (`n_users`) and sums of some columns by each combination of `by`; exact, NULL is a value of its own.

    For combinations that the caller knows to be few: they come to the driver. pandas-on-Spark's own pivot_table takes
    column names apart at their underscores, so this is a grouping, which every section lays out as it needs.
    """
    counted = rows.select(*by, *sums, F.lit(1).alias(USERS))
    groups = counted.pandas_api().groupby(list(by), dropna=False).sum().to_pandas()
    totals: list[dict[str, Any]] = groups.to_dict("records")  # type: ignore[assignment]
    return {_key(key): row for key, row in zip(groups.index, totals, strict=True)}


@contextmanager
def plain_index() -> Iterator[None]:
    """Inside, frames get an index without order, which costs no pass over the rows; the setting is the session's."""
    with ps.option_context("compute.default_index_type", "distributed"), warnings.catch_warnings():
        # pandas-on-Spark advises on every result that comes to the driver.
        warnings.simplefilter("ignore", PandasAPIOnSparkAdviceWarning)
        yield


def _key(key: Any) -> tuple[Any, ...]:
    parts = key if isinstance(key, tuple) else (key,)
    return tuple(None if pd.isna(part) else part for part in parts)

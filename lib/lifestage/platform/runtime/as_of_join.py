"""Reference rows joined as of a date: one contract for mappings, features and audiences."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

VALIDITY = ("valid_from", "valid_to")


def join_as_of(
    rows: DataFrame, reference: DataFrame, name: str, on: Mapping[str, str], day: str
) -> DataFrame:
    """Each row with the reference row valid on its day as a struct `name`; a NULL struct where no key matches.

    Args:
        rows: any grain; every row is kept once.
        reference: versions with valid_from <= day < valid_to, disjoint per key, the first covering earlier days.
        name: name of the struct.
        on: each key column of the reference to SQL over `rows`; compared as text, so that no value of a row fails.
        day: the date column of `rows`.
    """
    payload = [column for column in reference.columns if column not in VALIDITY]
    versions = reference.select(F.struct(*payload).alias(name), *VALIDITY)
    condition = is_valid_on(day)
    for column, expression in on.items():
        condition = condition & has_key(F.col(f"{name}.{column}"), expression)
    return rows.join(versions, on=condition, how="left").drop(*VALIDITY)


def is_valid_on(day: str) -> Column:
    """Whether a version holds on a day, a column of the other side."""
    return (F.col("valid_from") <= F.col(day)) & (F.col(day) < F.col("valid_to"))


def has_key(key: Column, expression: str) -> Column:
    """Whether a reference row has the key that a row asks for."""
    return key.cast("string") == F.expr(expression).cast("string")

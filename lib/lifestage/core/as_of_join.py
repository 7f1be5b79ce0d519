"""Reference rows joined as of a date: one contract for mappings, features and audiences."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
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
        on: key column of the reference to SQL over `rows`.
        day: the date column of `rows`.
    """
    payload = [column for column in reference.columns if column not in VALIDITY]
    versions = reference.select(F.struct(*payload).alias(name), *VALIDITY)
    condition = F.col("valid_from") <= F.col(day)
    condition = condition & (F.col(day) < F.col("valid_to"))
    for column, expression in on.items():
        condition = condition & (F.col(f"{name}.{column}") == F.expr(expression).cast("string"))
    return rows.join(versions, on=condition, how="left").drop(*VALIDITY)

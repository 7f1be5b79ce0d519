"""Join reference rows as of a date: one contract for mappings, features and audiences."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

VALIDITY = ("valid_from", "valid_to")


def join_as_of(
    rows: DataFrame, reference: DataFrame, name: str, on: Mapping[str, str], day: str
) -> DataFrame:
    """Add the reference row that is valid on each row's day as the struct `name`; the grain of `rows` stays.

    The struct is NULL if no key matches or a key is NULL.

    Args:
        rows: Any grain.
        reference: Versions with valid_from <= day < valid_to, at most one per key and day. The first version of a key
            covers all earlier days.
        name: Name of the struct.
        on: Each key column of the reference to SQL over `rows`. Keys are compared as text, so no value of a row fails.
        day: Date column of `rows`.

    Example:
        >>> join_as_of(events, products, "products", {"id": "product_id"}, "event_date").select("products.price")
    """
    payload = [column for column in reference.columns if column not in VALIDITY]
    versions = reference.select(F.struct(*payload).alias(name), *VALIDITY)
    condition = is_valid_on(day)
    for column, expression in on.items():
        condition = condition & has_key(F.col(f"{name}.{column}"), expression)
    return rows.join(versions, on=condition, how="left").drop(*VALIDITY)


def is_valid_on(day: str) -> Column:
    """Return whether a reference version is valid on the date column `day` of the other side of the join."""
    return (F.col("valid_from") <= F.col(day)) & (F.col(day) < F.col("valid_to"))


def has_key(key: Column, expression: str) -> Column:
    """Return whether a reference key equals, as text, what the SQL expression gives for a row."""
    return key.cast("string") == F.expr(expression).cast("string")

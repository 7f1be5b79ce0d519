"""Frames of declared tables from rows that state only what matters, and the one way to compare them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Table

# One fixed value a type for required columns that a test does not care about.
DEFAULTS: dict[str, Any] = {
    "string": "x",
    "bigint": 0,
    "int": 0,
    "double": 0.0,
    "decimal(18,2)": Decimal("0.00"),
    "boolean": False,
    "date": date(2026, 1, 1),
    "timestamp": datetime(2026, 1, 1, 12),
    "binary": bytearray(b"x"),
    "array<string>": [],
}


def build(spark: SparkSession, table: Table, rows: Iterable[Mapping[str, Any]]) -> DataFrame:
    """A frame with the table's schema; required columns left out get a fixed default, others NULL."""
    records = [tuple(_value(field, row) for field in table.schema.fields) for row in rows]
    unknown = {name for row in rows for name in row} - set(table.names)
    assert not unknown, f"{table.name} has no columns {sorted(unknown)}"
    return spark.createDataFrame(records, table.schema)


def _value(field: T.StructField, row: Mapping[str, Any]) -> Any:
    value = row.get(field.name)
    if value is None and field.name not in row and not field.nullable:
        return DEFAULTS[field.dataType.simpleString()]
    if isinstance(field.dataType, T.DecimalType) and value is not None:
        return Decimal(str(value))
    return value


def regrouped(spark: SparkSession, **changes: str) -> DataFrame:
    """Users who merged or split between two dates, each with its change."""
    return spark.createDataFrame([*changes.items()], "user_id string, change string")


def assert_frames(actual: DataFrame, expected: DataFrame) -> None:
    """Same columns, types and rows, whatever their order."""
    assert set(actual.columns) == set(expected.columns)
    assert_df_equality(
        _sortable(actual.select(*expected.columns)),
        _sortable(expected),
        ignore_row_order=True,
        ignore_nullable=True,
        ignore_metadata=True,
        transforms=[],
    )


def _sortable(frame: DataFrame) -> DataFrame:
    """Maps as sorted entries: Spark sorts by no column that holds a map."""
    maps = {field.name for field in frame.schema if isinstance(field.dataType, T.MapType)}
    return frame.withColumns({name: F.array_sort(F.map_entries(name)) for name in maps})


def assert_rows(actual: DataFrame, expected: Sequence[Sequence[Any]]) -> None:
    """The rows of a small frame, whatever their order; decimals may be given as text."""
    spark = actual.sparkSession
    records = [
        tuple(_typed(field, value) for field, value in zip(actual.schema, row, strict=True))
        for row in expected
    ]
    assert_frames(actual, spark.createDataFrame(records, actual.schema))


def _typed(field: T.StructField, value: Any) -> Any:
    return Decimal(str(value)) if isinstance(field.dataType, T.DecimalType) and value is not None else value


def shuffled(frame: DataFrame, partitions: int = 7) -> DataFrame:
    """The same rows in another order and another number of partitions."""
    return frame.repartition(partitions)

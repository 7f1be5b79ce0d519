"""Rows of the driver as a frame. A list given to Spark passes through Python workers; an Arrow table does not."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.runtime.keeping import kept

# So many rows may lie in a plan, which is then read without a job and is known to be empty where it is.
IN_PLAN = 10_000
# Texts of a pseudonym's length make some 100 MB of so many rows, in every executor; and rows may be wide.
SENT_ROUND, VALUES_SENT_ROUND = 1_000_000, 6_000_000
ARROW: Mapping[T.DataType, pa.DataType] = {
    T.StringType(): pa.string(),
    T.BinaryType(): pa.binary(),
    T.BooleanType(): pa.bool_(),
    T.IntegerType(): pa.int32(),
    T.LongType(): pa.int64(),
    T.DoubleType(): pa.float64(),
    T.DateType(): pa.date32(),
    T.TimestampType(): pa.timestamp("us", "UTC"),
}


def local_rows(spark: SparkSession, rows: Iterable[Sequence[Any]], schema: T.StructType | str) -> DataFrame:
    """A frame of rows whose values come in the order of the schema; structs nested in them as well."""
    declared = T.DataType.fromDDL(schema) if isinstance(schema, str) else schema
    assert isinstance(declared, T.StructType)
    named = [_plain(row, declared) for row in rows]
    return spark.createDataFrame(pa.Table.from_pylist(named, schema=arrow_schema(declared)), declared)


def localised(frame: DataFrame) -> DataFrame:
    """The frame with its rows on the driver: read once, and no plan on it begins further back. For few rows."""
    return local_rows(frame.sparkSession, frame.collect(), frame.schema)


def settled(frame: DataFrame) -> DataFrame:
    """The frame worked out once, without the plan that led to it; few rows are sent round to whatever joins them."""
    rows = kept(frame)
    n = rows.count()
    if n > SENT_ROUND or n * _width(frame.schema) > VALUES_SENT_ROUND:
        return rows
    if n <= IN_PLAN:
        rows = frame.sparkSession.createDataFrame(rows.toArrow(), frame.schema)
    return F.broadcast(rows)


def _width(kind: T.DataType) -> int:
    """How many columns there are, those in structs one by one."""
    return sum(_width(field.dataType) for field in kind) if isinstance(kind, T.StructType) else 1


def arrow_schema(schema: T.StructType) -> pa.Schema:
    """The schema as Spark takes it from Arrow: a batch that differs is refused."""
    return pa.schema([(field.name, _arrow_type(field.dataType)) for field in schema])


def _arrow_type(kind: T.DataType) -> pa.DataType:
    match kind:
        case T.DecimalType():
            return pa.decimal128(kind.precision, kind.scale)
        case T.ArrayType():
            return pa.list_(_arrow_type(kind.elementType))
        case T.MapType():
            return pa.map_(_arrow_type(kind.keyType), _arrow_type(kind.valueType))
        case T.StructType():
            return pa.struct([(field.name, _arrow_type(field.dataType)) for field in kind])
        case _:
            return ARROW[kind]


def _plain(value: Any, kind: T.DataType) -> Any:
    """A value as Arrow takes it: structs by name, maps as pairs."""
    match kind, value:
        case _, None:
            return None
        case T.StructType(), Mapping():
            return {field.name: _plain(value[field.name], field.dataType) for field in kind}
        case T.StructType(), _:
            return {field.name: _plain(part, field.dataType) for field, part in zip(kind, value, strict=True)}
        case T.ArrayType(), _:
            return [_plain(item, kind.elementType) for item in value]
        case T.TimestampType(), _:
            # Spark gives instants without a zone, in that of this computer.
            return value.astimezone(UTC)
        case T.MapType(), _:
            return [(key, _plain(item, kind.valueType)) for key, item in value.items()]
        case _:
            return value

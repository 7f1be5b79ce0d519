"""Small frames from rows on the driver, and frames whose rows are computed once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

# Up to this many rows become literals of the plan. Reading them takes no job, and Spark knows if there are none.
MAX_PLAN_ROWS = 10_000
# A broadcast of this many pseudonyms takes about 100 MB on every executor; wide rows reach that sooner.
MAX_BROADCAST_ROWS, MAX_BROADCAST_VALUES = 1_000_000, 6_000_000
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
    """A frame of the given rows; values come in the order of the schema, in nested structs too.

    Goes through Arrow: Spark would send a plain list through Python workers.
    """
    declared = T.DataType.fromDDL(schema) if isinstance(schema, str) else schema
    assert isinstance(declared, T.StructType)
    named = [_to_arrow_value(row, declared) for row in rows]
    return spark.createDataFrame(pa.Table.from_pylist(named, schema=arrow_schema(declared)), declared)


def collect_to_driver(frame: DataFrame) -> DataFrame:
    """The same rows as literals of a new plan, computed now. Only for few rows."""
    return local_rows(frame.sparkSession, frame.collect(), frame.schema)


def checkpoint(frame: DataFrame) -> DataFrame:
    """The same rows without their plan, computed at the first read and stored on the executors while in use.

    A persisted frame keeps its plan: Spark analyzes the plan again in every query on it, which takes longer than
    processing the rows of a day. The price: rows lost with an executor can't be recomputed. The run then fails, and you
    have to start it again.
    """
    # This level serializes the rows. As objects, ten million rows would leave no room for the work on them.
    return frame.localCheckpoint(eager=False, storageLevel=StorageLevel.MEMORY_AND_DISK)


def materialize(frame: DataFrame) -> DataFrame:
    """The same rows without their plan, computed now, and marked for broadcast unless there are too many."""
    rows = checkpoint(frame)
    n = rows.count()
    if n > MAX_BROADCAST_ROWS or n * _width(frame.schema) > MAX_BROADCAST_VALUES:
        return rows
    if n <= MAX_PLAN_ROWS:
        rows = frame.sparkSession.createDataFrame(rows.toArrow(), frame.schema)
    return F.broadcast(rows)


def _width(kind: T.DataType) -> int:
    """Number of columns, counting the fields of structs."""
    return sum(_width(field.dataType) for field in kind) if isinstance(kind, T.StructType) else 1


def arrow_schema(schema: T.StructType) -> pa.Schema:
    """The Arrow schema that Spark accepts for a Spark schema."""
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


def _to_arrow_value(value: Any, kind: T.DataType) -> Any:
    """Convert a value to the form that Arrow accepts: structs by name, maps as pairs."""
    match kind, value:
        case _, None:
            return None
        case T.StructType(), Mapping():
            return {field.name: _to_arrow_value(value[field.name], field.dataType) for field in kind}
        case T.StructType(), _:
            pairs = zip(kind, value, strict=True)
            return {field.name: _to_arrow_value(part, field.dataType) for field, part in pairs}
        case T.ArrayType(), _:
            return [_to_arrow_value(item, kind.elementType) for item in value]
        case T.TimestampType(), _:
            # Spark returns timestamps without a zone, in the local one.
            return value.astimezone(UTC)
        case T.MapType(), _:
            return [(key, _to_arrow_value(item, kind.valueType)) for key, item in value.items()]
        case _:
            return value

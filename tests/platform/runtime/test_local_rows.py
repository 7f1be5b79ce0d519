from datetime import UTC, date, datetime
from decimal import Decimal

from pyspark.sql import types as T

from lifestage.platform.runtime.local_rows import local_rows, localised
from lifestage.project.registry import tables_of
from support.frames import assert_rows
from support.projects import packaged_config

SCHEMA = T.StructType(
    [
        T.StructField("counts", T.MapType(T.StringType(), T.LongType())),
        T.StructField(
            "checks",
            T.ArrayType(
                T.StructType([T.StructField("name", T.StringType()), T.StructField("ok", T.BooleanType())])
            ),
        ),
        T.StructField("at", T.TimestampType(), nullable=False),
        T.StructField("amount", T.DecimalType(18, 2)),
        T.StructField("key", T.BinaryType()),
    ]
)


def test_values_of_every_kind_come_back_as_they_were(spark):
    at = datetime(2026, 3, 9, 12, tzinfo=UTC)
    rows = [
        ({"a": 1, "b": None}, [("one", True), {"name": "two", "ok": None}], at, Decimal("1.50"), b"\x00k"),
        (None, [], at, None, None),
    ]
    frame = local_rows(spark, rows, SCHEMA)
    assert frame.schema == SCHEMA
    first, second = frame.selectExpr(
        "to_json(counts)", "to_json(checks)", "unix_seconds(at)", "amount", "hex(key)"
    ).collect()
    assert tuple(first) == (
        '{"a":1,"b":null}',
        '[{"name":"one","ok":true},{"name":"two"}]',
        int(at.timestamp()),
        Decimal("1.50"),
        "006B",
    )
    assert tuple(second) == (None, "[]", int(at.timestamp()), None, None)


def test_an_instant_without_a_zone_is_one_of_this_computer_as_spark_gives_it(spark):
    local = spark.sql("SELECT TIMESTAMP'2026-03-09 12:00:00' AS at").collect()[0]["at"]
    assert_rows(
        local_rows(spark, [(local,)], "at timestamp").selectExpr("CAST(at AS STRING)"),
        [("2026-03-09 12:00:00",)],
    )


def test_a_declared_schema_may_be_a_text_and_rows_may_be_none(spark):
    assert_rows(local_rows(spark, [(date(2026, 3, 9), 1)], "day date, n int"), [(date(2026, 3, 9), 1)])
    assert local_rows(spark, [], "day date, n int").isEmpty()


def test_a_localised_frame_has_the_rows_that_were_there_when_it_was_made(spark, tmp_path):
    path = str(tmp_path / "n")
    spark.range(2).write.parquet(path)
    read = spark.read.parquet(path)
    kept = localised(read)
    spark.range(5).write.mode("overwrite").parquet(path)
    assert kept.schema == read.schema
    assert_rows(kept, [(0,), (1,)])


def test_every_table_can_be_made(spark):
    """Each type that a contract uses has an Arrow type."""
    for table in tables_of(packaged_config()).values():
        assert local_rows(spark, [], table.schema).schema == table.schema

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.runtime.frames import checkpoint, collect_to_driver, local_rows
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


def test_an_instant_without_a_zone_is_in_the_zone_of_this_computer(spark):
    local = spark.sql("SELECT TIMESTAMP'2026-03-09 12:00:00' AS at").collect()[0]["at"]
    assert_rows(
        local_rows(spark, [(local,)], "at timestamp").selectExpr("CAST(at AS STRING)"),
        [("2026-03-09 12:00:00",)],
    )


def test_a_schema_can_be_text_and_there_can_be_no_rows(spark):
    assert_rows(local_rows(spark, [(date(2026, 3, 9), 1)], "day date, n int"), [(date(2026, 3, 9), 1)])
    assert local_rows(spark, [], "day date, n int").isEmpty()


def test_a_collected_frame_keeps_the_rows_of_its_creation(spark, tmp_path):
    path = str(tmp_path / "n")
    spark.range(2).write.parquet(path)
    read = spark.read.parquet(path)
    collected = collect_to_driver(read)
    spark.range(5).write.mode("overwrite").parquet(path)
    assert collected.schema == read.schema
    assert_rows(collected, [(0,), (1,)])


def test_every_table_can_be_made(spark):
    """Each type that a contract uses has an Arrow type."""
    for table in tables_of(packaged_config()).values():
        assert local_rows(spark, [], table.schema).schema == table.schema


@pytest.fixture
def numbers(spark):
    # Random numbers without a seed: two reads agree only if they read the same rows.
    return checkpoint(spark.range(100).withColumns({"drawn": F.rand(), "rest": F.col("id") % 7}))


def test_checkpointed_rows_are_computed_once(numbers):
    first = {row["id"]: row["drawn"] for row in numbers.collect()}
    again = {row["id"]: row["drawn"] for row in numbers.where("rest < 9").select("drawn", "id").collect()}
    assert first == again
    assert len(first) == 100


def test_a_checkpoint_has_no_plan(numbers, capsys):
    numbers.where("rest > 3").explain()
    plan = capsys.readouterr().out
    assert "Range" not in plan
    assert "rand(" not in plan


def test_a_checkpoint_is_joined_with_an_aggregate_of_itself(numbers):
    sums = checkpoint(numbers.groupBy("rest").agg(F.sum("id").alias("total")))
    totals = {rest: sum(range(rest, 100, 7)) for rest in range(7)}
    assert {row["rest"]: row["total"] for row in sums.collect()} == totals
    assert numbers.join(sums, on="rest").count() == 100
    assert numbers.join(numbers.select("id"), on="id").count() == 100


def test_no_rows_can_be_checkpointed(numbers):
    none = checkpoint(numbers.where("id < 0"))
    assert none.isEmpty()
    assert none.schema == numbers.schema

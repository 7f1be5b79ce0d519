"""Tables in a catalog's schema behave as those under a root path."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.platform.storage.delta import DeltaStore, Location
from lifestage.platform.storage.store import Store
from support.frames import assert_rows, build

NOTES = Table(
    name="notes",
    kind=Kind.DERIVED,
    comment="Notes of a test.",
    columns=(Column("key", T.StringType(), "Key", required=True), Column("note", T.StringType(), "Note")),
    key=("key",),
    mode=WriteMode.MERGE,
)


@pytest.fixture
def catalog_store(spark: SparkSession, tmp_path: Path) -> Iterator[Store]:
    spark.sql(f"CREATE DATABASE lifestage_test LOCATION '{tmp_path}/warehouse'")
    yield DeltaStore(spark, Location(schema="lifestage_test"))
    spark.sql("DROP DATABASE lifestage_test CASCADE")


def test_a_table_is_created_written_merged_and_read_by_its_name(
    catalog_store: Store, spark: SparkSession
) -> None:
    catalog_store.write(
        NOTES, build(spark, NOTES, [{"key": "a", "note": "1"}, {"key": "b", "note": "1"}]), {}
    )
    catalog_store.write(NOTES, build(spark, NOTES, [{"key": "b", "note": "2"}]), {"run_id": "r"})
    assert_rows(catalog_store.read(NOTES), [("a", "1"), ("b", "2")])
    assert catalog_store.last_metadata(NOTES) == {"run_id": "r"}
    assert spark.table("lifestage_test.notes").schema["note"].metadata["comment"] == "Note"


def test_a_table_of_a_catalog_is_exchanged_replaced_and_rolled_back(
    catalog_store: Store, spark: SparkSession
) -> None:
    first = catalog_store.write(
        NOTES, build(spark, NOTES, [{"key": "a", "note": "1"}]), {"run_id": "1"}
    ).version
    removals = spark.createDataFrame([("a",)], "key string")
    catalog_store.exchange(
        NOTES, removals, build(spark, NOTES, [{"key": "c", "note": "3"}]), {"run_id": "2"}, "true"
    )
    assert_rows(catalog_store.read(NOTES), [("c", "3")])
    assert catalog_store.roll_back(NOTES, first)
    assert_rows(catalog_store.read(NOTES), [("a", "1")])
    catalog_store.replace_all(NOTES, build(spark, NOTES, [{"key": "d"}]), {"run_id": "3"})
    assert_rows(catalog_store.read(NOTES), [("d", None)])

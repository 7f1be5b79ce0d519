import json
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from lifestage.platform.errors import ContractError
from lifestage.platform.storage.contracts import Table, WriteMode, conform
from lifestage.platform.storage.delta import DeltaStore
from lifestage.platform.storage.run_store import RunStore
from lifestage.platform.storage.store import literals
from support.frames import assert_frames, assert_rows
from support.sales import FEBRUARY, JANUARY, SALES, sales


def log_of(store):
    """Every entry of the table's log."""
    files = sorted(Path(f"{store.location.root}/sales/_delta_log").glob("*.json"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_a_frame_that_does_not_conform_is_refused_with_every_difference(spark):
    wrong = spark.sql("SELECT 'a' id, 1 n, 'x' person, DATE'2026-01-01' month, 2 price")
    with pytest.raises(ContractError) as refused:
        conform(wrong, SALES)
    assert str(refused.value).splitlines() == [
        "sales: column n is int, expected bigint",
        "sales: column tags is missing, expected map<string,string>",
        "sales: column price is not in the contract",
    ]


def test_columns_in_another_order_conform(spark):
    frame = sales(spark, ("a", 1, JANUARY))
    assert conform(frame.select(*reversed(frame.columns)), SALES).columns == list(SALES.names)


def test_comments_not_null_partitions_and_properties_are_stored(spark, store):
    store.create(SALES, {"lifestage.x": "y"})
    store.create(SALES, {"lifestage.x": "again"})
    stored = store.read(SALES)
    assert [field.metadata.get("comment") for field in stored.schema] == [
        column.comment for column in SALES.columns
    ]
    (schema,) = [json.loads(e["metaData"]["schemaString"]) for e in log_of(store) if "metaData" in e]
    assert [field["nullable"] for field in schema["fields"]] == [False, True, True, True, False]
    detail = spark.sql(f"DESCRIBE DETAIL delta.`{store.location.name_of(SALES)}`").first()
    assert (detail["description"], detail["partitionColumns"]) == (SALES.comment, ["month"])
    assert store.properties(SALES)["lifestage.x"] == "y"
    nameless = sales(spark, ("a", 1, JANUARY)).withColumn("id", F.lit(None).cast("string"))
    with pytest.raises(Exception, match="NOT NULL constraint violated for column: id"):
        store.write(SALES, nameless, {})


def test_statistics_leave_identifiers_out(spark, store):
    store.write(SALES, sales(spark, ("secret-1", 1, JANUARY), ("secret-2", 5, JANUARY)), {"run_id": "r1"})
    (statistics,) = [json.loads(entry["add"]["stats"]) for entry in log_of(store) if "add" in entry]
    assert (statistics["minValues"], statistics["maxValues"]) == ({"n": 1}, {"n": 5})
    assert "secret" not in json.dumps(log_of(store))


def test_a_table_is_replaced_by_one_with_fewer_columns(spark, store):
    store.write(SALES, sales(spark, ("a", 1, JANUARY)), {})
    narrow = replace(SALES, columns=tuple(column for column in SALES.columns if column.name != "n"), order=())
    rows = sales(spark, ("b", 2, JANUARY)).drop("n")
    store.replace_all(narrow, rows, {"run_id": "r2"})
    assert_frames(store.read(narrow), rows)
    assert store.last_metadata(narrow) == {"run_id": "r2"}
    *_, statistics = [json.loads(entry["add"]["stats"]) for entry in log_of(store) if "add" in entry]
    assert not {"id", "person"} & statistics.get("minValues", {}).keys()


def test_a_write_counts_its_rows_and_remembers_its_metadata(spark, store):
    first = store.write(SALES, sales(spark, ("a", 1, JANUARY), ("b", 2, JANUARY)), {"run_id": "r1", "n": 7})
    assert (first.version, first.rows) == (1, 2)
    assert store.last_metadata(SALES) == {"run_id": "r1", "n": 7}
    spark.sql(f"OPTIMIZE delta.`{store.location.name_of(SALES)}`")
    assert store.last_metadata(SALES) == {"run_id": "r1", "n": 7}
    assert spark.conf.get("spark.databricks.delta.commitInfo.userMetadata", None) is None


def test_literals_are_sorted_and_quoted():
    assert literals([FEBRUARY, JANUARY]) == "DATE'2026-01-01', DATE'2026-02-01'"
    assert literals(["b", "a'); DROP"]) == "'a''); DROP', 'b'"


def test_commits_of_other_tools_are_neither_rolled_back_nor_taken_for_ours(spark, store):
    for name in "ab":
        store.write(SALES, sales(spark, (name, 1, JANUARY)), {"run_id": "r1"})
    late = store.write(SALES, sales(spark, ("c", 1, JANUARY)), {"run_id": "r2"})
    spark.sql(f"OPTIMIZE delta.`{store.location.name_of(SALES)}`")
    assert (late.version, late.rows, store.version(SALES)) == (3, 1, 4)
    assert not store.roll_back(SALES, 3)
    assert store.roll_back(SALES, 2)
    assert_rows(store.read(SALES).select("id"), [("a",), ("b",)])


def test_the_store_of_a_run_sees_what_it_wrote_and_other_stores_are_never_stale(spark, store):
    """Another process changes the table while a run remembers it; only the run's own store may not see that."""
    run = RunStore(store)
    run.write(SALES, sales(spark, ("a", 1, JANUARY)), {"run_id": "r1"})
    assert (run.version(SALES), store.version(SALES)) == (1, 1)
    DeltaStore(spark, store.location).write(SALES, sales(spark, ("b", 1, JANUARY)), {"run_id": "other"})
    assert (run.version(SALES), store.version(SALES)) == (1, 2)
    assert store.last_metadata(SALES) == {"run_id": "other"}
    assert_rows(run.read(SALES).select("id"), [("a",), ("b",)])
    run.write(SALES, sales(spark, ("c", 1, JANUARY)), {"run_id": "r1", "n": 2})
    assert (run.version(SALES), run.last_metadata(SALES)) == (3, {"run_id": "r1", "n": 2})


def test_a_table_that_records_no_changes_does_not_tell_them(spark, store):
    first = store.write(SALES, sales(spark, ("a", 1, JANUARY)), {"run_id": "r1"})
    store.write(SALES, sales(spark, ("b", 2, JANUARY)), {"run_id": "r2"})
    assert store.read_changes(SALES, first.version, ("id",)) is None


def test_a_table_whose_recorded_changes_are_gone_does_not_tell_them(spark, store):
    changing = Table(**{**SALES.__dict__, "mode": WriteMode.MERGE, "has_change_feed": True})
    first = store.write(changing, sales(spark, ("a", 1, JANUARY), ("b", 1, JANUARY)), {"run_id": "r1"})
    store.write(changing, sales(spark, ("a", 2, JANUARY)), {"run_id": "r2"})
    folder = Path(store.location.root, SALES.name)
    recorded = [*folder.glob("_change_data/**/*.parquet")]
    assert recorded
    for file in recorded:
        file.unlink()
    assert store.read_changes(changing, first.version, ("id",)) is None

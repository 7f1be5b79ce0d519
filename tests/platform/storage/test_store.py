import json
from pathlib import Path

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.errors import ContractError, NoDataError
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.storage.contracts import Column, Table, WriteMode, conform
from lifestage.platform.storage.store import literals
from support.frames import assert_frames, assert_rows, build
from support.sales import FEBRUARY, JANUARY, SALES, sales, table


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


def test_what_was_never_written_is_empty_and_has_no_version(store):
    assert store.read(SALES).isEmpty()
    assert store.read(SALES).columns == list(SALES.names)
    assert (store.version(SALES), store.last_metadata(SALES), store.properties(SALES)) == (None, {}, {})
    assert not store.roll_back(SALES, 0)


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


def test_a_write_counts_its_rows_and_remembers_its_metadata(spark, store):
    first = store.write(SALES, sales(spark, ("a", 1, JANUARY), ("b", 2, JANUARY)), {"run_id": "r1", "n": 7})
    assert (first.table, first.version, first.rows) == ("sales", 1, 2)
    assert store.last_metadata(SALES) == {"run_id": "r1", "n": 7}
    spark.sql(f"OPTIMIZE delta.`{store.location.name_of(SALES)}`")
    assert store.last_metadata(SALES) == {"run_id": "r1", "n": 7}
    assert spark.conf.get("spark.databricks.delta.commitInfo.userMetadata", None) is None


def test_a_write_of_nothing_counts_nothing(spark, store):
    store.write(SALES, sales(spark, ("a", 1, JANUARY)), {"run_id": "r1"})
    assert store.write(SALES, sales(spark), {"run_id": "r2"}).rows == 0


def test_commits_made_at_the_same_time_keep_their_own_metadata(spark, store):
    """A merge knows only the session's setting, which a save beside it must not take for its own."""
    merged = Table(**{**table(WriteMode.MERGE).__dict__, "name": "merged"})

    def commits(contract, number):
        store.write(contract, sales(spark, (str(number), number, JANUARY)), {"n": number})
        return store.last_metadata(contract)

    def several(contract):
        return [commits(contract, number)["n"] for number in range(4)]

    assert run_in_parallel([lambda: several(SALES), lambda: several(merged)]) == [[0, 1, 2, 3]] * 2


def test_partitions_replaced_twice_are_as_replaced_once(spark, store):
    partitioned = table(WriteMode.PARTITIONS)
    old = sales(spark, ("a", 1, JANUARY), ("b", 2, FEBRUARY))
    new = sales(spark, ("c", 3, FEBRUARY))
    store.write(partitioned, old, {}, {"month": [JANUARY, FEBRUARY]})
    for _ in range(2):
        store.write(partitioned, new, {}, {"month": [FEBRUARY]})
        assert_rows(store.read(partitioned).select("id", "n"), [("a", 1), ("c", 3)])
    with pytest.raises(AnalysisException, match="DELTA_REPLACE_WHERE_MISMATCH"):
        store.write(partitioned, sales(spark, ("d", 4, JANUARY)), {}, {"month": [FEBRUARY]})


def test_a_merge_updates_and_inserts_and_an_insert_leaves_what_is_there(spark, store):
    store.write(table(WriteMode.MERGE), sales(spark, ("a", 1, JANUARY), ("b", 2, JANUARY)), {})
    for _ in range(2):
        store.write(table(WriteMode.MERGE), sales(spark, ("b", 3, JANUARY), ("c", 4, JANUARY)), {})
        assert_rows(store.read(SALES).select("id", "n"), [("a", 1), ("b", 3), ("c", 4)])
    store.write(table(WriteMode.INSERT), sales(spark, ("c", 9, JANUARY), ("d", 5, JANUARY)), {})
    assert_rows(store.read(SALES).select("id", "n"), [("a", 1), ("b", 3), ("c", 4), ("d", 5)])


def test_an_old_version_stays_readable_and_one_that_never_was_is_no_data(spark, store):
    old = sales(spark, ("a", 1, JANUARY))
    store.write(SALES, old, {})
    store.replace_all(SALES, sales(spark, ("b", 2, JANUARY)), {})
    assert_frames(store.read(SALES, version=1), old)
    with pytest.raises(NoDataError, match="sales: version 9 cannot be read"):
        store.read(SALES, version=9)


def test_replacing_all_takes_up_the_columns_of_today(spark, store):
    store.write(SALES, sales(spark, ("a", 1, JANUARY)), {})
    wider = Table(**{**SALES.__dict__, "columns": (*SALES.columns, Column("note", T.StringType(), "New"))})
    store.replace_all(wider, build(spark, wider, [{"id": "b", "month": JANUARY, "note": "x"}]), {})
    assert_rows(store.read(wider).select("id", "note"), [("b", "x")])


def test_literals_are_sorted_and_quoted():
    assert literals([FEBRUARY, JANUARY]) == "DATE'2026-01-01', DATE'2026-02-01'"
    assert literals(["b", "a'); DROP"]) == "'a''); DROP', 'b'"

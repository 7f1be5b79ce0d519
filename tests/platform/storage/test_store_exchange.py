from pyspark.sql import functions as F

from support.frames import assert_rows
from support.sales import FEBRUARY, JANUARY, SALES, sales

MONTHS = "month IN (DATE'2026-01-01', DATE'2026-02-01')"


def keys(spark, *ids):
    return spark.createDataFrame([(id_,) for id_ in ids], "id string")


def rows_of(store):
    return store.read(SALES).select("id", "n", F.month("month").alias("month"))


def test_rows_leave_and_others_come_in_one_commit(spark, store):
    store.write(SALES, sales(spark, ("a", 1, JANUARY), ("b", 2, JANUARY), ("c", 3, FEBRUARY)), {})
    commit = store.exchange(
        SALES, keys(spark, "a", "none"), sales(spark, ("d", 4, FEBRUARY)), {"run_id": "r2"}, MONTHS
    )
    assert commit.version == store.version(SALES) == 2
    assert store.last_metadata(SALES) == {"run_id": "r2"}
    assert_rows(rows_of(store), [("b", 2, 1), ("c", 3, 2), ("d", 4, 2)])


def test_a_row_moves_to_another_month_and_a_second_time_nothing_changes(spark, store):
    store.write(SALES, sales(spark, ("a", 1, JANUARY), ("b", 2, JANUARY)), {})
    for _ in range(2):
        store.exchange(SALES, keys(spark, "a"), sales(spark, ("a", 5, FEBRUARY)), {}, MONTHS)
        assert_rows(rows_of(store), [("a", 5, 2), ("b", 2, 1)])


def test_what_the_predicate_leaves_out_is_not_touched_and_null_is_a_value_as_any_other(spark, store):
    someone = sales(spark, ("a", 1, JANUARY), ("b", 2, FEBRUARY), ("c", 3, FEBRUARY))
    nobody = F.when(F.col("id") == "c", F.col("person"))
    store.write(SALES, someone.withColumn("person", nobody), {})
    gone = spark.createDataFrame([(None,)], "person string")
    store.exchange(SALES, gone, sales(spark), {}, "month = DATE'2026-02-01'")
    assert_rows(rows_of(store), [("a", 1, 1), ("c", 3, 2)])


def test_without_anything_to_remove_rows_are_appended(spark, store):
    commit = store.exchange(SALES, keys(spark, "a"), sales(spark, ("a", 1, JANUARY)), {}, "false")
    assert commit.version == 1
    assert_rows(rows_of(store), [("a", 1, 1)])


def test_a_write_of_ours_is_rolled_back_and_a_foreign_one_left_alone(spark, store):
    for name in "ab":
        store.write(SALES, sales(spark, (name, 1, JANUARY)), {"run_id": "r1"})
    spark.sql(f"OPTIMIZE delta.`{store.location.name_of(SALES)}`")
    assert not store.roll_back(SALES, 2)
    assert store.version(SALES) == 3
    store.write(SALES, sales(spark, ("c", 1, JANUARY)), {"run_id": "r2"})
    assert store.roll_back(SALES, 2)
    assert_rows(rows_of(store), [("a", 1, 1), ("b", 1, 1)])

"""What every implementation of the store does, alone and as the store of a run."""

import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.errors import ConcurrentWriteError, NoDataError
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.storage.contracts import Column, Table, WriteMode
from lifestage.platform.storage.delta import DeltaStore, Location
from lifestage.platform.storage.memory import MemoryStore
from lifestage.platform.storage.run_store import RunStore
from support.frames import assert_frames, assert_rows, build
from support.sales import FEBRUARY, JANUARY, SALES, sales, table

MONTHS = "month IN (DATE'2026-01-01', DATE'2026-02-01')"


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("run on delta", "delta below a uri")]


@pytest.fixture(params=["delta", "memory", "run on memory", *SLOW])
def store(request, spark, tmp_path):
    # The logs of tables below a URI are read by Spark, those below a path directly.
    root = f"{'file:' if 'uri' in request.param else ''}{tmp_path}/tables"
    inner = DeltaStore(spark, Location(root=root)) if "delta" in request.param else MemoryStore(spark)
    return RunStore(inner) if "run" in request.param else inner


def keys(spark, *ids):
    return spark.createDataFrame([(id_,) for id_ in ids], "id string")


def rows_of(store):
    return store.read(SALES).select("id", "n", F.month("month").alias("month"))


def test_a_table_that_does_not_exist_is_empty_and_has_no_version(store):
    assert store.read(SALES).isEmpty()
    assert store.read(SALES).columns == list(SALES.names)
    assert (store.version(SALES), store.last_metadata(SALES), store.properties(SALES)) == (None, {}, {})
    assert (store.read_rows(SALES), store.newest([SALES])) == ([], {})
    assert not store.roll_back(SALES, 0)


def test_a_table_is_created_once(store):
    store.create(SALES, {"lifestage.x": "y"})
    store.create(SALES, {"lifestage.x": "again"})
    assert store.properties(SALES)["lifestage.x"] == "y"
    assert (store.version(SALES), store.read_rows(SALES)) == (0, [])


def test_null_in_a_required_column_is_refused(spark, store):
    nameless = sales(spark, ("a", 1, JANUARY)).withColumn("id", F.lit(None).cast("string"))
    with pytest.raises(Exception, match=r"NOT NULL constraint violated for column: id|column id is required"):
        store.write(SALES, nameless, {})
    assert store.read(SALES).isEmpty()


def test_rows_of_a_tiny_table_are_written_and_read_without_a_frame(store):
    store.write(SALES, [("a", "p", 1, {"x": "y"}, JANUARY), ("b", None, None, None, JANUARY)], {})
    assert sorted(store.read_rows(SALES, ["id", "tags", "month"]), key=lambda row: row["id"]) == [
        {"id": "a", "tags": {"x": "y"}, "month": JANUARY},
        {"id": "b", "tags": None, "month": JANUARY},
    ]


def test_a_write_counts_its_rows_and_records_its_metadata(spark, store):
    commit = store.write(SALES, sales(spark, ("a", 1, JANUARY), ("b", 2, JANUARY)), {"run_id": "r1", "n": 7})
    assert (commit.version, commit.rows) == (1, 2)
    assert store.last_metadata(SALES) == {"run_id": "r1", "n": 7}


def test_an_append_of_nothing_leaves_no_commit(spark, store):
    store.write(SALES, sales(spark, ("a", 1, JANUARY)), {"run_id": "r1"})
    commit = store.write(SALES, sales(spark), {"run_id": "r2"})
    assert (commit.version, commit.rows) == (1, 0)
    assert store.last_metadata(SALES) == {"run_id": "r1"}


def test_several_commits_are_resolved_at_once_each_with_its_own_entry(spark, store):
    other = Table(**{**SALES.__dict__, "name": "other"})
    commits = [
        store.write(SALES, sales(spark, ("a", 1, JANUARY)), {"run_id": "r1"}),
        store.write(SALES, sales(spark, ("b", 1, JANUARY), ("c", 1, JANUARY)), {"run_id": "r1"}),
        store.write(other, sales(spark, ("d", 1, JANUARY)), {"run_id": "r1"}),
        store.write(other, sales(spark), {"run_id": "r2"}),
    ]
    store.resolve(commits)
    assert [(commit.version, commit.rows) for commit in commits] == [(1, 1), (2, 2), (1, 1), (1, 0)]


def test_commits_made_at_the_same_time_keep_their_own_metadata(spark, store):
    """A merge takes its metadata from the session, which a save in another thread must ignore."""
    merged = Table(**{**table(WriteMode.MERGE).__dict__, "name": "merged"})

    def write_several(contract):
        return [write(contract, number)["n"] for number in range(4)]

    def write(contract, number):
        store.write(contract, sales(spark, (str(number), number, JANUARY)), {"n": number})
        return store.last_metadata(contract)

    assert (
        run_in_parallel([lambda: write_several(SALES), lambda: write_several(merged)]) == [[0, 1, 2, 3]] * 2
    )


def test_replacing_partitions_twice_equals_replacing_them_once(spark, store):
    partitioned = table(WriteMode.PARTITIONS)
    new = sales(spark, ("c", 3, FEBRUARY))
    store.write(
        partitioned,
        sales(spark, ("a", 1, JANUARY), ("b", 2, FEBRUARY)),
        {},
        {"month": [JANUARY, FEBRUARY]},
    )
    for _ in range(2):
        store.write(partitioned, new, {}, {"month": [FEBRUARY]})
        assert_rows(store.read(partitioned).select("id", "n"), [("a", 1), ("c", 3)])
    with pytest.raises(Exception, match=r"DELTA_REPLACE_WHERE_MISMATCH|outside of the replaced partitions"):
        store.write(partitioned, sales(spark, ("d", 4, JANUARY)), {}, {"month": [FEBRUARY]})


def test_all_partitions_except_the_kept_ones_are_replaced(spark, store):
    partitioned = table(WriteMode.PARTITIONS)
    store.write(partitioned, sales(spark, ("a", 1, JANUARY), ("b", 2, FEBRUARY)), {}, keep={"month": []})
    store.write(partitioned, sales(spark, ("c", 3, FEBRUARY)), {}, keep={"month": [JANUARY]})
    assert_rows(store.read(partitioned).select("id", "n"), [("a", 1), ("c", 3)])
    store.write(partitioned, sales(spark, ("d", 4, FEBRUARY)), {}, keep={"month": []})
    assert_rows(store.read(partitioned).select("id", "n"), [("d", 4)])


def test_a_merge_updates_and_inserts_and_an_insert_leaves_known_keys_alone(spark, store):
    store.write(table(WriteMode.MERGE), sales(spark, ("a", 1, JANUARY), ("b", 2, JANUARY)), {})
    for _ in range(2):
        store.write(table(WriteMode.MERGE), sales(spark, ("b", 3, JANUARY), ("c", 4, JANUARY)), {})
        assert_rows(store.read(SALES).select("id", "n"), [("a", 1), ("b", 3), ("c", 4)])
    store.write(table(WriteMode.INSERT), sales(spark, ("c", 9, JANUARY), ("d", 5, JANUARY)), {})
    assert_rows(store.read(SALES).select("id", "n"), [("a", 1), ("b", 3), ("c", 4), ("d", 5)])


def test_an_old_version_stays_readable_and_a_version_that_never_existed_is_an_error(spark, store):
    old = sales(spark, ("a", 1, JANUARY))
    store.write(SALES, old, {})
    store.replace_all(SALES, sales(spark, ("b", 2, JANUARY)), {})
    assert_frames(store.read(SALES, version=1), old)
    with pytest.raises(NoDataError, match="sales: version 9 cannot be read"):
        store.read(SALES, version=9)


def test_replacing_all_takes_over_the_columns_of_the_contract(spark, store):
    store.write(SALES, sales(spark, ("a", 1, JANUARY)), {})
    wider = Table(**{**SALES.__dict__, "columns": (*SALES.columns, Column("note", T.StringType(), "New"))})
    store.replace_all(wider, build(spark, wider, [{"id": "b", "month": JANUARY, "note": "x"}]), {})
    assert_rows(store.read(wider).select("id", "note"), [("b", "x")])


def test_the_first_of_two_swaps_that_saw_the_same_version_takes_effect(store):
    held = table(WriteMode.OVERWRITE)
    store.swap(held, [("a", None, 1, None, JANUARY)], {"run_id": "r1"}, None)
    seen = store.version(held)
    for name in ("first", "second"):
        store.swap(held, [(name, None, 1, None, JANUARY)], {"run_id": name}, seen)
    assert [row["id"] for row in store.read_rows(held)] == ["first"]
    assert store.last_metadata(held) == {"run_id": "first"}


def test_rows_leave_and_others_come_in_one_commit(spark, store):
    store.write(SALES, sales(spark, ("a", 1, JANUARY), ("b", 2, JANUARY), ("c", 3, FEBRUARY)), {})
    commit = store.exchange(
        SALES, keys(spark, "a", "none"), sales(spark, ("d", 4, FEBRUARY)), {"run_id": "r2"}, MONTHS
    )
    assert commit.version == store.version(SALES) == 2
    assert store.last_metadata(SALES) == {"run_id": "r2"}
    assert_rows(rows_of(store), [("b", 2, 1), ("c", 3, 2), ("d", 4, 2)])


def test_an_exchange_moves_a_row_to_another_month_and_a_repeat_changes_nothing(spark, store):
    store.write(SALES, sales(spark, ("a", 1, JANUARY), ("b", 2, JANUARY)), {})
    for _ in range(2):
        store.exchange(SALES, keys(spark, "a"), sales(spark, ("a", 5, FEBRUARY)), {}, MONTHS)
        assert_rows(rows_of(store), [("a", 5, 2), ("b", 2, 1)])


def test_an_exchange_leaves_rows_outside_of_its_predicate_and_matches_null(spark, store):
    someone = sales(spark, ("a", 1, JANUARY), ("b", 2, FEBRUARY), ("c", 3, FEBRUARY))
    nobody = F.when(F.col("id") == "c", F.col("person"))
    store.write(SALES, someone.withColumn("person", nobody), {})
    gone = spark.createDataFrame([(None,)], "person string")
    store.exchange(SALES, gone, sales(spark), {}, "month = DATE'2026-02-01'")
    assert_rows(rows_of(store), [("a", 1, 1), ("c", 3, 2)])


def test_an_exchange_without_removals_appends(spark, store):
    commit = store.exchange(SALES, keys(spark, "a"), sales(spark, ("a", 1, JANUARY)), {}, "false")
    assert commit.version == 1
    assert_rows(rows_of(store), [("a", 1, 1)])


def test_writes_of_ours_are_rolled_back(spark, store):
    for name in "ab":
        store.write(SALES, sales(spark, (name, 1, JANUARY)), {"run_id": "r1"})
    assert not store.roll_back(SALES, 2)
    store.write(SALES, sales(spark, ("c", 1, JANUARY)), {"run_id": "r2"})
    assert store.roll_back(SALES, 2)
    assert_rows(rows_of(store), [("a", 1, 1), ("b", 1, 1)])
    assert store.version(SALES) == 4


def test_rows_with_numbers_are_appended_once(store):
    store.append_once(SALES, [("a", "p", 1, None, JANUARY)], {"attempt": 1}, 3)
    commit = store.append_once(SALES, [("b", "p", 4, None, JANUARY)], {"attempt": 1}, 4)
    assert (commit.version, commit.rows) == (2, 1)
    for number in (3, 4):
        with pytest.raises(ConcurrentWriteError, match=f"another run has already written number {number}"):
            store.append_once(SALES, [("c", "p", number, None, JANUARY)], {"attempt": 2}, number)
    assert sorted(row["id"] for row in store.read_rows(SALES)) == ["a", "b"]


def test_a_table_that_is_older_than_a_completed_version_is_found(store):
    for name in ("a", "b"):
        store.write(SALES, [(name, "p", 1, None, JANUARY)], {})
    store.restore(SALES, 1)
    assert [store.find_lost_commit(SALES, version) for version in (1, 2, 3)] == [None, None, None]
    lost = "sales: ends with version 3, but a run completed version 4"
    assert store.find_lost_commit(SALES, 4) == lost


CHANGING = Table(**{**SALES.__dict__, "mode": WriteMode.MERGE, "has_change_feed": True})


def changes(store, since, where="true"):
    return store.read_changes(CHANGING, since, ("id", "month"), where)


def test_changes_are_the_rows_that_were_removed_or_added_since_a_version(spark, store):
    assert_rows(changes(store, None), [])
    first = store.write(CHANGING, sales(spark, ("a", 1, JANUARY), ("b", 2, JANUARY)), {"run_id": "r1"})
    assert_rows(changes(store, None), [("a", JANUARY), ("b", JANUARY)])
    assert_rows(changes(store, first.version), [])
    store.write(CHANGING, sales(spark, ("b", 3, FEBRUARY), ("c", 1, JANUARY)), {"run_id": "r2"})
    store.exchange(CHANGING, keys(spark, "a"), sales(spark, ("d", 4, FEBRUARY)), {"run_id": "r3"}, MONTHS)
    expected = [("a", JANUARY), ("b", JANUARY), ("b", FEBRUARY), ("c", JANUARY), ("d", FEBRUARY)]
    assert_rows(changes(store, first.version), expected)
    assert_rows(changes(store, first.version, "month = DATE'2026-02-01'"), [("b", FEBRUARY), ("d", FEBRUARY)])


def test_a_table_that_ends_before_the_version_does_not_tell_its_changes(spark, store):
    assert changes(store, 1) is None
    first = store.write(CHANGING, sales(spark, ("a", 1, JANUARY)), {"run_id": "r1"})
    assert changes(store, first.version + 1) is None


def test_changes_survive_a_roll_back(spark, store):
    first = store.write(CHANGING, sales(spark, ("a", 1, JANUARY)), {"run_id": "r1"})
    store.write(CHANGING, sales(spark, ("b", 2, JANUARY)), {"run_id": "r2"})
    store.roll_back(CHANGING, first.version)
    assert {row["id"] for row in changes(store, first.version).collect()} <= {"b"}
    assert_rows(store.read(CHANGING).select("id"), [("a",)])

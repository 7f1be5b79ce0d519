"""Tables that Spark wrote, read without Spark: both engines read the same rows and the same log."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.errors import NoDataError
from lifestage.platform.runtime.frames import arrow_schema, local_rows
from lifestage.platform.storage.arrow import ArrowStore
from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.platform.storage.filters import After, AnyOf, HashIs, Is, UpTo
from lifestage.platform.storage.frame_filters import keep_rows
from lifestage.platform.storage.memory import MemoryStore
from support.sales import FEBRUARY, JANUARY, SALES, sales, table

TYPED = Table(
    name="typed",
    kind=Kind.DERIVED,
    comment="One column of each type.",
    columns=(
        Column("id", T.StringType(), "", required=True),
        Column("number", T.IntegerType(), ""),
        Column("count", T.LongType(), ""),
        Column("share", T.DoubleType(), ""),
        Column("is_set", T.BooleanType(), ""),
        Column("day", T.DateType(), ""),
        Column("at", T.TimestampType(), ""),
        Column("amount", T.DecimalType(18, 2), ""),
        Column("raw", T.BinaryType(), ""),
        Column("names", T.ArrayType(T.StringType()), ""),
        Column("map", T.MapType(T.StringType(), T.LongType()), ""),
        Column(
            "part",
            T.StructType([T.StructField("at", T.TimestampType()), T.StructField("n", T.LongType())]),
            "",
        ),
    ),
    key=("id",),
    mode=WriteMode.APPEND,
    unindexed=("id",),
)
AT = datetime(1999, 12, 31, 23, 59, 59, 123456, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 4, 30, tzinfo=UTC)
ROWS = [
    (
        "a",
        1,
        2**40,
        0.1,
        True,
        JANUARY,
        AT,
        Decimal("-0.10"),
        b"\x00\xff",
        ["x", None],
        {"k": 1, "n": None},
        (AT, 1),
    ),
    ("b", None, None, None, None, None, None, None, None, None, None, None),
    (
        "c'; --",
        -1,
        0,
        float("inf"),
        False,
        date(1, 1, 1),
        SUMMER,
        Decimal("9999999999999999.99"),
        b"",
        [],
        {},
        (None, None),
    ),
]


@pytest.fixture
def arrow(store):
    return ArrowStore(store.location.root)


def assert_same(store, arrow, contract, version=None):
    """Both engines read the same rows, with the types of the contract."""
    expected, actual = (each.find_rows(contract, version=version) for each in (store, arrow))
    key = [name for name in contract.key if name in contract.names]
    assert sorted(actual, key=lambda row: [str(row[name]) for name in key]) == sorted(
        expected, key=lambda row: [str(row[name]) for name in key]
    )
    assert arrow.read_rows(contract, ["id"], version) == [{"id": row["id"]} for row in actual]
    return actual


def test_every_type_is_read_as_spark_reads_it(store, arrow):
    store.write(TYPED, ROWS, {})
    found = assert_same(store, arrow, TYPED)
    assert [[*row.values()] for row in sorted(found, key=lambda row: row["id"])] == [
        [*row[:-1], dict(zip(("at", "n"), row[-1], strict=True)) if row[-1] else None] for row in ROWS
    ]
    assert arrow.read_arrow(TYPED).schema.equals(arrow_schema(TYPED.schema))
    assert arrow.read_arrow(TYPED, columns=["share", "id"]).column_names == ["share", "id"]


@pytest.mark.slow
def test_merges_deletions_old_versions_and_changed_schemas_are_read_as_spark_reads_them(spark, store, arrow):
    merged = table(WriteMode.MERGE)
    path = store.location.name_of(SALES)
    store.write(merged, sales(spark, *[(f"i{n}", n, (JANUARY, FEBRUARY)[n % 2]) for n in range(400)]), {})
    store.write(merged, sales(spark, ("i7", 70, FEBRUARY), ("new", 1, JANUARY)), {"run_id": "r2"})
    spark.sql(f"DELETE FROM delta.`{path}` WHERE n % 5 = 0")
    spark.sql(f"UPDATE delta.`{path}` SET n = -n WHERE id LIKE 'i1%'")
    store.exchange(SALES, sales(spark, ("i9", 9, JANUARY)).select("id"), sales(spark), {}, "n IS NOT NULL")
    partitioned = table(WriteMode.PARTITIONS)
    store.write(partitioned, sales(spark, ("z", 4, FEBRUARY)), {}, keep={"month": [JANUARY]})
    files = Path(path).rglob("deletion_vector*.bin")
    assert [*files], "the test needs deletion vectors"
    wide = Table(
        **{**partitioned.__dict__, "columns": (*SALES.columns, Column("extra", T.LongType(), "Added"))}
    )
    store.write(
        wide,
        sales(spark, ("w", 1, JANUARY)).withColumn("extra", F.lit(3).cast("bigint")),
        {},
        keep={"month": []},
    )
    narrow = Table(**{**SALES.__dict__, "columns": tuple(c for c in SALES.columns if c.name != "n")})
    store.replace_all(narrow, sales(spark, ("v", 1, JANUARY)).drop("n"), {})
    store.roll_back(SALES, 3)
    spark.sql(f"OPTIMIZE delta.`{path}`")
    newest = store.version(SALES)
    for version in range(newest + 1):
        assert_same(store, arrow, SALES, version)
    for _ in range(11):
        store.write(SALES, sales(spark, ("again", 1, JANUARY)), {"run_id": "r3"})
    assert [*Path(path).rglob("*.checkpoint*")], "the test needs a checkpoint"
    assert_same(store, arrow, SALES)
    assert_same(store, arrow, SALES, 2)
    assert arrow.logs([(SALES, None)]) == store.logs([(SALES, None)])
    assert arrow.logs([(SALES, 3)]) == store.logs([(SALES, 3)])
    assert arrow.newest([SALES]) == store.newest([SALES])
    assert (arrow.version(SALES), arrow.last_metadata(SALES)) == (newest + 11, {"run_id": "r3"})
    spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    spark.sql(f"VACUUM delta.`{path}` RETAIN 0 HOURS")
    assert_same(store, arrow, SALES)
    with pytest.raises(NoDataError, match="sales: version 2 cannot be read any more"):
        arrow.find_rows(SALES, version=2)


def test_filters_keep_the_same_rows_in_every_store(spark, store, arrow):
    memory = MemoryStore(spark)
    rows = [(f"i{n}", "p", n, None, (JANUARY, FEBRUARY)[n % 2]) for n in range(6)]
    for each in (store, memory):
        each.write(SALES, [*rows, ("it's", None, None, None, JANUARY)], {})
    hashed = local_rows(spark, [("i4",)], "id string").select(
        F.substring(F.sha2(F.concat(F.lit("user:"), "id"), 256), 1, 32)
    )
    cases = {
        (): 7,
        (Is("id", ("i1", "it's", "none")),): 2,
        (Is("id", ()),): 0,
        (Is("n", (1, 2)), UpTo("n", 1)): 1,
        (UpTo("month", JANUARY),): 4,
        (After("month", JANUARY), After("n", 1)): 2,
        (AnyOf((Is("id", ("i1",)), UpTo("n", 0))),): 2,
        (AnyOf((Is("id", ("i1",)), HashIs("id", "user:", 32, (hashed.first()[0],)))), UpTo("n", 9)): 2,
    }
    for where, n in cases.items():
        found = [sorted(row["id"] for row in each.find_rows(SALES, where)) for each in (store, memory, arrow)]
        assert found[0] == found[1] == found[2]
        assert len(found[0]) == n, where


def test_a_filter_on_an_identifier_is_no_literal_of_the_plan(store, capsys):
    store.write(SALES, [("i1", "secret", 1, None, JANUARY)], {})
    kept = keep_rows(
        store.read(SALES),
        (AnyOf((Is("id", ("secret-id",)), HashIs("id", "user:", 32, ("secret-hash",)))),),
        ["id"],
    )
    kept.explain(True)
    assert "secret" not in capsys.readouterr().out


def test_a_table_that_does_not_exist_is_empty(arrow):
    assert not arrow.exists(SALES)
    assert arrow.find_rows(SALES) == arrow.read_rows(SALES) == []
    assert arrow.read_arrow(SALES).column_names == [*SALES.names]
    assert (arrow.version(SALES), arrow.last_metadata(SALES), arrow.properties(SALES)) == (None, {}, {})


def test_properties_and_a_version_that_never_existed(store, arrow):
    store.create(SALES, {"lifestage.x": "y"})
    assert arrow.properties(SALES) == store.properties(SALES)
    assert arrow.find_rows(SALES) == []
    with pytest.raises(NoDataError, match="sales: version 9 cannot be read"):
        arrow.find_rows(SALES, version=9)


def test_an_empty_commit_is_blank(spark, store, arrow):
    for n in range(2):
        store.write(SALES, sales(spark, ("a", n, JANUARY)), {"run_id": f"r{n}"})
    newest = Path(store.location.name_of(SALES)) / "_delta_log" / f"{2:020}.json"
    newest.write_text("")
    assert arrow.find_lost_commit(SALES, 2) == "sales: the commit of version 2 is empty"
    assert arrow.find_lost_commit(SALES, 1) is None

from decimal import Decimal

from lifestage.platform.reporting.pivots import pivot, unordered_index


def test_a_pivot_has_rows_and_sums_for_every_combination_with_null_as_a_value(spark):
    rows = [("a", 1, Decimal("0.10")), ("a", 1, Decimal("0.20")), ("a", None, None), (None, None, Decimal(5))]
    frame = spark.createDataFrame(rows, "x string, y int, amount decimal(18,2)")
    with unordered_index():
        found = pivot(frame, ("x", "y"), ("amount",))
    assert {key: row["n_users"] for key, row in found.items()} == {
        ("a", 1): 2,
        ("a", None): 1,
        (None, None): 1,
    }
    assert (found["a", 1]["amount"], found[None, None]["amount"]) == (Decimal("0.30"), Decimal(5))


def test_a_pivot_works_with_underscores_in_names_and_with_a_single_key(spark):
    frame = spark.createDataFrame([("big_one",), ("big_one",)], "some_stage string")
    assert pivot(frame, ("some_stage",)) == {("big_one",): {"n_users": 2}}


def test_a_frame_without_rows_has_an_empty_pivot(spark):
    assert pivot(spark.createDataFrame([], "x string, y int"), ("x", "y")) == {}

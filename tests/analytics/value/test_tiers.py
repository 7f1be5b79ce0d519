"""Tiers of the value index: by share, by cut point, and ties."""

import pytest
from pyspark.sql import functions as F

from analytics.value.builders import D, buyer, tiered
from lifestage.analytics.value.config import Tier, tier_problem
from lifestage.analytics.value.tiers import add_tier
from support.frames import assert_frames, assert_rows, shuffled

# Indexes 0, 1/18, ... 1, 1 for u01 to u20.
TWENTY = [buyer(f"u{n:02}", spend=f"{n}.00") for n in range(1, 21)]


def sizes(users):
    return {row["tier"]: row["count"] for row in users.groupBy("tier").count().collect()}


def test_shares_count_users_with_a_strictly_lower_index(spark):
    users, cuts = tiered(spark, TWENTY, 0.8, 0.5)
    assert sizes(users) == {"t0": 4, "t1": 6, "t2": 10}
    assert_rows(cuts, [(D, "t0", "0.8889", 4), (D, "t1", "0.5556", 6), (D, "t2", "0", 10)])


def test_equal_indexes_share_a_tier(spark):
    """The two best users tie. Only 90 % have a strictly lower index, so nobody reaches 0.95."""
    users, cuts = tiered(spark, TWENTY, 0.95)
    assert sizes(users) == {"t1": 20}
    assert sizes(tiered(spark, TWENTY, 0.9)[0]) == {"t0": 2, "t1": 18}
    assert_rows(cuts.select("tier"), [("t1",)])


@pytest.mark.parametrize("n", [7, 57])
def test_a_share_is_reached_exactly(spark, n):
    rows = [buyer(f"u{k:03}", spend=str(k)) for k in range(100)]
    users, _ = tiered(spark, rows, n / 100)
    assert users.where("tier = 't0'").agg({"user_id": "min"}).first()[0] == f"u{n:03}"


def test_cut_points_are_of_the_index_itself(spark):
    users, cuts = tiered(spark, TWENTY, 0.5, 0.05, by="from_index")
    assert sizes(users) == {"t0": 11, "t1": 8, "t2": 1}
    assert_rows(cuts.select("tier", "least_index"), [("t0", "0.5"), ("t1", "0.05"), ("t2", "0")])


def test_a_later_index_between_cut_points_has_the_tier_of_the_bound(spark):
    """No user has 0.9 or more or is between 0.52 and 0.55, but a later user who gets the same cut points can be."""
    _, cuts = tiered(spark, TWENTY[:-3], 0.999, 0.52, by="from_index")
    later = spark.createDataFrame(
        [("a", D, 0.53), ("b", D, 0.9995), ("c", D, 0.51), ("d", D, None)],
        "user_id string, as_of date, value_index double",
    )
    users = add_tier(later.withColumn("value_index", F.col("value_index").cast("decimal(5,4)")), cuts)
    assert_rows(users.select("user_id", "tier"), [("a", "t1"), ("b", "t0"), ("c", "t2"), ("d", None)])


def test_an_index_below_every_cut_point_has_the_last_tier(spark):
    cuts = spark.createDataFrame(
        [(D, "high", 0.8), (D, "low", 0.2)], "as_of date, tier string, least_index double"
    )
    later = spark.createDataFrame([("u", D, 0.1)], "user_id string, as_of date, value_index double")
    assert_rows(add_tier(later, cuts).select("tier"), [("low",)])


def test_users_who_are_not_scored_have_no_tier(spark):
    users, _ = tiered(spark, [*TWENTY, buyer("silent", recency=400, frequency=0, spend="0")], 0.8)
    assert_rows(users.where("tier IS NULL").select("user_id"), [("silent",)])


def test_order_and_partitions_do_not_matter(spark):
    assert_frames(
        shuffled(tiered(spark, TWENTY[::-1], 0.8, 0.4)[0]).select("user_id", "tier"),
        tiered(spark, TWENTY, 0.8, 0.4)[0].select("user_id", "tier"),
    )


@pytest.mark.parametrize(
    ("tiers", "problem"),
    [
        ([{"from_share": 0.5}, {"from_share": 0.8}, {}], "a from 0.5 and b from 0.8 overlap"),
        ([{"from_share": 0.5}, {"from_share": 0.5}, {}], "a from 0.5 and b from 0.5 overlap"),
        ([{"from_share": 0.5}, {"from_index": 0.4}, {}], "cannot be mixed"),
        ([{"from_share": 0.5}, {"from_share": 0.4}], "b takes the rest"),
        ([{}, {}], "each tier but the last has exactly one"),
        ([], "expected different names"),
    ],
)
def test_ambiguous_tiers_are_refused(tiers, problem):
    named = [Tier(tier=name, **bounds) for name, bounds in zip("abc", tiers, strict=False)]
    assert problem in tier_problem(named)

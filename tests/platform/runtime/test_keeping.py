"""Kept rows: worked out once, and without their plan."""

import pytest
from pyspark.sql import functions as F

from lifestage.platform.runtime.keeping import kept


@pytest.fixture
def numbers(spark):
    # Random numbers of no seed: two readings agree only where they read the same rows.
    return kept(spark.range(100).withColumns({"drawn": F.rand(), "rest": F.col("id") % 7}))


def test_rows_are_worked_out_once(numbers):
    first = {row["id"]: row["drawn"] for row in numbers.collect()}
    again = {row["id"]: row["drawn"] for row in numbers.where("rest < 9").select("drawn", "id").collect()}
    assert first == again
    assert len(first) == 100


def test_what_is_read_does_not_know_how_it_was_made(numbers, capsys):
    numbers.where("rest > 3").explain()
    plan = capsys.readouterr().out
    assert "Range" not in plan
    assert "rand(" not in plan


def test_kept_rows_are_joined_with_what_is_made_of_them(numbers):
    sums = kept(numbers.groupBy("rest").agg(F.sum("id").alias("total")))
    totals = {rest: sum(range(rest, 100, 7)) for rest in range(7)}
    assert {row["rest"]: row["total"] for row in sums.collect()} == totals
    assert numbers.join(sums, on="rest").count() == 100
    assert numbers.join(numbers.select("id"), on="id").count() == 100


def test_no_rows_can_be_kept(numbers):
    none = kept(numbers.where("id < 0"))
    assert none.isEmpty()
    assert none.schema == numbers.schema

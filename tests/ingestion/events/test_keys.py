import pytest
from pyspark.sql import functions as F

from ingestion.events.builders import LATER, arrivals, row
from lifestage.ingestion.events.keys import add_keyless_ids
from support.frames import assert_frames, assert_rows, shuffled

# Delivery 1 holds two equal rows, delivery 2 three of them; delivery 3 has the same sale on another day.
ROWS = [
    row(delivery=1, amount=1),
    row(delivery=1, amount=1),
    row(delivery=1, amount=2),
    row(delivery=2, amount=1),
    row(delivery=2, amount=1),
    row(delivery=2, amount=1),
    row(delivery=3, amount=1, day=LATER),
]


@pytest.fixture
def rows(spark):
    return arrivals(spark, ROWS).withColumn("event_id", F.lit(None).cast("string"))


def parts(identified):
    """Return the occurrence number of each id, and the deliveries that have it."""
    same = identified.groupBy("event_id").agg(F.sort_array(F.collect_list("delivery_no")).alias("deliveries"))
    return same.select(F.element_at(F.split("event_id", "-"), 2).cast("int").alias("number"), "deliveries")


def test_an_id_is_a_content_hash_and_an_occurrence_number_within_the_file(rows):
    identified = add_keyless_ids(rows, "same")
    assert_rows(parts(identified), [(1, [1, 2]), (2, [1, 2]), (3, [2]), (1, [1]), (1, [3])])
    assert_frames(
        add_keyless_ids(shuffled(rows), "same").select("delivery_no", "event_id"),
        identified.select("delivery_no", "event_id"),
    )


def test_with_across_files_new_the_ids_of_two_files_differ(rows):
    identified = add_keyless_ids(rows, "new")
    assert_rows(parts(identified), [(1, [1]), (2, [1]), (1, [1]), (1, [2]), (2, [2]), (3, [2]), (1, [3])])


def test_an_id_does_not_show_identifiers(rows):
    named = rows.withColumns({"subject": F.lit("subject-of-anna"), "order_id": F.lit("order-7")})
    shown = add_keyless_ids(named, "same").where(~F.col("event_id").rlike("^[0-9a-f]{32}-[0-9]+$"))
    assert shown.isEmpty()

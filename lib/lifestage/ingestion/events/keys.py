"""Event ids of keyless rows: what the row says, and which of its equals within the file it is."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.ingestion.events.tables import EVENT_COLUMNS

# Where and when a row was read is not what it says.
NOT_CONTENT = ("event_id", "ingested_at", "delivery_no")
CONTENT = tuple(column.name for column in EVENT_COLUMNS if column.name not in NOT_CONTENT)


def content_hash() -> Column:
    """SHA-256 of the canonical columns, pseudonyms instead of identifiers; equal rows are equal whatever the file."""
    maps = {column.name for column in EVENT_COLUMNS if isinstance(column.type, T.MapType)}
    # A map keeps the order in which the configuration names its entries.
    content = [
        F.array_sort(F.map_entries(name)).alias(name) if name in maps else F.col(name) for name in CONTENT
    ]
    return F.sha2(F.to_json(F.struct(*content)), 256)


def add_keyless_ids(rows: DataFrame, across_files: str) -> DataFrame:
    """event_id = content hash and occurrence number within the delivery.

    Two equal rows of one file stay two events. An equal row in another file is the same event again, unless
    `across_files` is `new`: then the delivery is part of the id.
    """
    # A faulty row may say the same as a good one, and must not take its number.
    is_faulty = F.size("reasons") > 0
    equals = Window.partitionBy("delivery_no", "_content", is_faulty).orderBy("_content")
    number = F.row_number().over(equals.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    parts = [F.substring("_content", 1, 32), number.cast("string")]
    if across_files == "new":
        parts.append(F.col("delivery_no").cast("string"))
    return (
        rows.withColumn("_content", content_hash())
        .withColumn("event_id", F.concat_ws("-", *parts))
        .drop("_content")
    )

"""Event ids of keyless rows: a hash of the row's content and its occurrence number within the file."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.ingestion.events.tables import EVENT_COLUMNS

# The content of a row does not include where and when it was read.
NOT_CONTENT = ("event_id", "ingested_at", "delivery_no")
CONTENT = tuple(column.name for column in EVENT_COLUMNS if column.name not in NOT_CONTENT)


def content_hash() -> Column:
    """Return the SHA-256 of a row's canonical columns, with pseudonyms instead of identifiers.

    Rows of equal content have equal hashes, whichever file they come from.
    """
    maps = {column.name for column in EVENT_COLUMNS if isinstance(column.type, T.MapType)}
    # A map keeps the order of its entries in the configuration, so sort them.
    content = [
        F.array_sort(F.map_entries(name)).alias(name) if name in maps else F.col(name) for name in CONTENT
    ]
    return F.sha2(F.to_json(F.struct(*content)), 256)


def add_keyless_ids(rows: DataFrame, across_files: str) -> DataFrame:
    """Set `event_id` to the content hash and the occurrence number within the delivery; one row per row.

    Two equal rows of one file are two events. An equal row in another file is the same event, unless `across_files`
    is `new`: then the delivery number becomes part of the id. Row order does not matter.

    Args:
        rows: Canonical rows with `reasons`. A faulty row is numbered apart from good rows of equal content.
        across_files: `same` or `new`.

    Example:
        Ids look like `3f0c...9a-1`, with 32 hex digits and the occurrence number.
    """
    is_faulty = F.size("reasons") > 0
    equal_rows = Window.partitionBy("delivery_no", "_content", is_faulty).orderBy("_content")
    number = F.row_number().over(equal_rows.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    parts = [F.substring("_content", 1, 32), number.cast("string")]
    if across_files == "new":
        parts.append(F.col("delivery_no").cast("string"))
    return (
        rows.withColumn("_content", content_hash())
        .withColumn("event_id", F.concat_ws("-", *parts))
        .drop("_content")
    )

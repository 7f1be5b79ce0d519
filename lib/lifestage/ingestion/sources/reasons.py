"""Reasons for rejection, and warnings. While rows are mapped they are lines of one text; afterwards, sorted arrays."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

WRONG_ENCODING = "wrong_encoding"
# Rows of a file that are neither its header nor, as its source declares, no data.
DATA_ROWS = "NOT is_header AND NOT is_skipped"


def join_reasons(reasons: Sequence[Column]) -> Column:
    """Join the reasons that are not NULL into the lines of one text, empty for a good row.

    One text costs far less per row than an array.
    """
    return F.concat_ws("\n", *reasons) if reasons else F.lit("")


def split_reasons(text: Column) -> Column:
    """Split the text of `join_reasons` into a sorted array; an empty text gives an empty array."""
    none = F.array().cast("array<string>")
    lines = F.trim(text, F.lit("\n"))
    return F.when(lines == "", none).otherwise(F.array_sort(F.split(lines, "\n+")))


def broken_line_reason(raw: Column) -> Column:
    """Return the reason for a line that cannot be parsed: `malformed`, or `wrong_encoding` if it is not UTF-8."""
    return F.when(F.is_valid_utf8(raw), F.lit("malformed")).otherwise(F.lit(WRONG_ENCODING))


def count_reasons(rows: DataFrame, column: str) -> dict[int, dict[str, int]]:
    """Count rows per delivery and reason of an array column; the result is bounded by deliveries times rules."""
    exploded = rows.select("delivery_no", F.explode(column).alias("reason"))
    result: dict[int, dict[str, int]] = {}
    for row in exploded.groupBy("delivery_no", "reason").count().orderBy("delivery_no", "reason").collect():
        result.setdefault(row["delivery_no"], {})[row["reason"]] = row["count"]
    return result

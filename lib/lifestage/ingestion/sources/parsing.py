"""Parse lines of CSV and JSON text into columns that are still text."""

import re

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.layout import FileLayout, Format

BROKEN = "_broken"


def parse_lines(lines: DataFrame, layout: FileLayout) -> DataFrame:
    """Add the struct `c` of declared columns (all text), `is_header` and `is_broken`; one row per line.

    A line is broken if it has too few or too many values, is not one JSON object, or is not valid UTF-8. The `raw`
    text of a row from Parquet or Delta is the JSON that `read_raw` wrote, so those formats are parsed as JSON.

    Args:
        lines: Rows with the text of each line as `raw`.
        layout: Format, delimiter, quote and declared columns.
    """
    return _parse_csv(lines, layout) if layout.format is Format.CSV else _parse_json(lines, layout)


def csv_header(layout: FileLayout) -> str:
    """Return the header line that each CSV file must begin with."""
    return layout.delimiter.join(layout.columns)


def _parse_csv(lines: DataFrame, layout: FileLayout) -> DataFrame:
    """Parse CSV line by line, which keeps the exact raw text of each row.

    A quoted line break inside a value is not supported: both halves are broken lines.
    """
    options = {
        "sep": layout.delimiter,
        "quote": layout.quote,
        "escape": layout.quote,
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": BROKEN,
        "ignoreLeadingWhiteSpace": "true",
        "ignoreTrailingWhiteSpace": "true",
    }
    columns = F.from_csv("raw", _text_schema(layout), options)
    unquoted = F.regexp_replace("raw", f"^\ufeff|{re.escape(layout.quote)}| ", "")
    # The cheap test comes first, so that few lines reach the pattern.
    is_header = F.contains("raw", F.lit(next(iter(layout.columns)))) & (
        unquoted == F.lit(csv_header(layout).replace(" ", ""))
    )
    rows = lines.select("*", columns.alias("c"), is_header.alias("is_header"))
    return rows.withColumn("is_broken", F.col(f"c.{BROKEN}").isNotNull() | ~F.is_valid_utf8("raw"))


def _parse_json(lines: DataFrame, layout: FileLayout) -> DataFrame:
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": BROKEN}
    columns = F.from_json("raw", _text_schema(layout), options)
    # The parser stops after the first object and would silently lose the rest of the line.
    as_array = F.concat(F.lit("["), F.regexp_replace("raw", "^\ufeff", ""), F.lit("]"))
    is_one = F.coalesce(F.json_array_length(as_array), F.lit(0)) == 1
    is_broken = F.col("c").isNull() | F.col(f"c.{BROKEN}").isNotNull() | ~F.is_valid_utf8("raw") | ~is_one
    rows = lines.select("*", columns.alias("c"), F.lit(False).alias("is_header"))
    return rows.withColumn("is_broken", is_broken)


def _text_schema(layout: FileLayout) -> str:
    return ", ".join(f"`{name}` string" for name in (*layout.columns, BROKEN))

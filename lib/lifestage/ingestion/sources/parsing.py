"""Parse lines of CSV and JSON text into columns that are still text."""

import re

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.layout import FileLayout, Format
from lifestage.ingestion.sources.quoting import opens_value

BROKEN = "_broken"


def parse_lines(lines: DataFrame, layout: FileLayout) -> DataFrame:
    """Add the struct `c` of declared columns (all text), `is_header` and `is_broken`; one row per row of text.

    A row is broken if it has too few or too many values, leaves a quoted value open, is not one JSON object, or is not
    valid UTF-8. The `raw` text of a row from Parquet or Delta is the JSON that `read_raw` wrote, so those formats are
    parsed as JSON.

    Args:
        lines: Rows with their text as `raw`. A quoted value may have line breaks.
        layout: Format, delimiter, quote and declared columns.
    """
    return _parse_csv(lines, layout) if layout.format is Format.CSV else _parse_json(lines, layout)


def csv_header(layout: FileLayout) -> str:
    """Return the header line that each CSV file must begin with."""
    return layout.delimiter.join(layout.columns)


def _parse_csv(lines: DataFrame, layout: FileLayout) -> DataFrame:
    """Parse CSV row by row, which keeps the exact raw text of each row."""
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
    is_broken = F.col(f"c.{BROKEN}").isNotNull() | ~F.is_valid_utf8("raw") | opens_value(layout)
    return rows.withColumn("is_broken", is_broken)


def _parse_json(lines: DataFrame, layout: FileLayout) -> DataFrame:
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": BROKEN}
    columns = F.from_json("raw", _text_schema(layout), options)
    # The parser stops after the first object and would silently lose the rest of the line. So put the line into a list
    # of two elements. The second element is the hash of the line, which the line cannot contain. If the second element
    # of the parsed list is this hash, the line is exactly one element.
    text, end = F.regexp_replace("raw", "^\ufeff", ""), F.sha2("raw", 256)
    pair = F.concat(F.lit("["), text, F.lit(',"'), end, F.lit('"]'))
    is_one = F.coalesce(F.get_json_object(pair, "$[1]") == end, F.lit(False))
    is_broken = F.col("c").isNull() | F.col(f"c.{BROKEN}").isNotNull() | ~F.is_valid_utf8("raw") | ~is_one
    rows = lines.select("*", columns.alias("c"), F.lit(False).alias("is_header"))
    return rows.withColumn("is_broken", is_broken)


def _text_schema(layout: FileLayout) -> str:
    return ", ".join(f"`{name}` string" for name in (*layout.columns, BROKEN))

"""Parse lines of CSV and JSON text into columns that are still text."""

import re

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.layout import FileLayout, Format
from lifestage.ingestion.sources.quoting import opens_value

BROKEN = "_broken"


def parse_lines(lines: DataFrame, layout: FileLayout) -> DataFrame:
    """Add the struct `c` of declared columns (all text), `is_header` and `is_broken`; one row per line.

    A line is broken if it has too few or too many values, leaves a quoted value open, is not one JSON object, or is not
    valid UTF-8. Lines that are already marked `is_broken` stay broken. The `raw` text of a row from Parquet or Delta is
    the JSON that `read_raw` wrote, so those formats are parsed as JSON.

    Args:
        lines: Rows with the text of each line as `raw`, and `is_broken` if other lines already decided it.
        layout: Format, delimiter, quote and declared columns.
    """
    return _parse_csv(lines, layout) if layout.format is Format.CSV else _parse_json(lines, layout)


def csv_header(layout: FileLayout) -> str:
    """Return the header line that each CSV file must begin with."""
    return layout.delimiter.join(layout.columns)


def _parse_csv(lines: DataFrame, layout: FileLayout) -> DataFrame:
    """Parse CSV line by line, which keeps the exact raw text of each row.

    A line break inside a quoted value is not supported: all lines of such a value are broken.
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
    is_broken = F.col(f"c.{BROKEN}").isNotNull() | ~F.is_valid_utf8("raw") | opens_value(layout)
    return _add_broken(rows, is_broken)


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
    return _add_broken(rows, is_broken)


def _add_broken(rows: DataFrame, is_broken: Column) -> DataFrame:
    before = F.col("is_broken") if "is_broken" in rows.columns else F.lit(False)
    return rows.withColumn("is_broken", before | is_broken)


def _text_schema(layout: FileLayout) -> str:
    return ", ".join(f"`{name}` string" for name in (*layout.columns, BROKEN))

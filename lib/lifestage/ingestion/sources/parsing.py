"""Parse lines of CSV and JSON into columns that are still text. Records of other formats are lines of JSON."""

import re
from collections.abc import Iterable, Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.layout import FileLayout, Format, Header
from lifestage.ingestion.sources.opening import find_positions, separator_line, split_header
from lifestage.ingestion.sources.paths import Path, extract_values
from lifestage.ingestion.sources.quoting import breaks_quoting, opens_value

BROKEN = "_broken"
# The parser of Spark holds 20,480 values of a row.
MAX_VALUES = 20_000


def parse_lines(lines: DataFrame, layout: FileLayout, header: str | None = None) -> DataFrame:
    """Add the struct `c` of declared columns (all text), `is_header` and `is_broken`; one row per row of text.

    A row is broken if it has too few or too many values, leaves a quoted value open, is not one JSON object, or is not
    valid in its encoding. The `raw` text of a row of another format is the JSON that `read_raw` wrote. A column that the header lacks is NULL.

    Args:
        lines: Rows with their text as `raw`. A quoted value may have line breaks.
        layout: Format, delimiter, quote and declared columns.
        header: csv: the header of the file, if its columns are read by name.
    """
    rows = _parse_csv(lines, layout, header) if layout.format is Format.CSV else _parse_json(lines, layout)
    is_lost = ~F.is_valid_utf8("raw")
    if layout.encoding.upper() != "UTF-8":
        is_lost |= F.contains("raw", F.lit("\ufffd"))
    return rows.withColumn("is_broken", F.col("is_broken") | is_lost)


def csv_header(layout: FileLayout) -> str:
    """Return the header line that a CSV file must begin with if its columns are not read by name."""
    return layout.delimiter.join(layout.field_of(column) for column in layout.columns)


def _parse_csv(lines: DataFrame, layout: FileLayout, header: str | None) -> DataFrame:
    """Parse CSV row by row, which keeps the exact raw text of each row."""
    options = {
        "sep": layout.delimiter,
        "quote": layout.quote,
        "escape": layout.escape or layout.quote,
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": BROKEN,
        "ignoreLeadingWhiteSpace": "true",
        "ignoreTrailingWhiteSpace": "true",
    }
    text = F.when(_has_few_values(layout), F.col("raw"))
    if header is None:
        rows = lines.withColumn("c", F.from_csv(text, _text_schema(layout.columns), options))
    else:
        width = [str(n) for n in range(len(split_header(header, layout)))]
        positions = find_positions(header, layout, may_lack=True)
        values = [
            (F.col(f"_cells.`{positions[name]}`") if name in positions else F.lit(None).cast("string")).alias(
                name
            )
            for name in layout.columns
        ]
        rows = lines.withColumn("_cells", F.from_csv(text, _text_schema(width), options))
        rows = rows.withColumn("c", F.struct(*values, f"_cells.{BROKEN}")).drop("_cells")
    is_broken = F.col(f"c.{BROKEN}").isNotNull() | opens_value(layout) | breaks_quoting(layout)
    is_broken |= ~_has_few_values(layout)
    return rows.withColumns({"is_header": _is_header(layout, header), "is_broken": is_broken})


def _has_few_values(layout: FileLayout) -> Column:
    """Whether `raw` has no more values than the parser can hold; with more, it fails the query. The cheap test comes first."""
    n_delimiters = F.length("raw") - F.length(F.replace("raw", F.lit(layout.delimiter), F.lit("")))
    return (F.octet_length("raw") < MAX_VALUES) | (n_delimiters < MAX_VALUES * len(layout.delimiter))


def _is_header(layout: FileLayout, header: str | None) -> Column:
    """Whether `raw` is the header, or the line before it that names the delimiter."""
    plain = F.regexp_replace("raw", "^\ufeff", "")
    if header is not None:
        return plain.isin(header, separator_line(layout))
    if layout.header is Header.NONE:
        return F.lit(False)
    unquoted = F.regexp_replace("raw", f"^\ufeff|{re.escape(layout.quote)}| ", "")
    expected = csv_header(layout)
    # The cheap test comes first, so that few lines reach the pattern.
    first = layout.field_of(next(iter(layout.columns)))
    return (F.contains("raw", F.lit(first)) & (unquoted == F.lit(expected.replace(" ", "")))) | (
        plain == F.lit(separator_line(layout))
    )


def _parse_json(lines: DataFrame, layout: FileLayout) -> DataFrame:
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": BROKEN}
    # The JSON of a typed file has the declared columns as keys, wherever the file had them.
    paths = {} if layout.format in (Format.PARQUET, Format.DELTA) else layout.paths
    names = [name for name in layout.columns if paths.get(name, (name,)) == (name,)]
    columns = F.from_json("raw", _text_schema(names), options)
    # The parser stops after the first object and would silently lose the rest of the line. So put the line into a list
    # of two elements. The second element is the hash of the line, which the line cannot contain. If the second element
    # of the parsed list is this hash, the line is exactly one element.
    text, end = F.regexp_replace("raw", "^\ufeff", ""), F.sha2("raw", 256)
    pair = F.concat(F.lit("["), text, F.lit(',"'), end, F.lit('"]'))
    is_one = F.coalesce(F.get_json_object(pair, "$[1]") == end, F.lit(False))
    is_broken = F.col("c").isNull() | F.col(f"c.{BROKEN}").isNotNull() | ~is_one
    rows = lines.select("*", columns.alias("c"), F.lit(False).alias("is_header"))
    rows = rows.withColumn("is_broken", is_broken)
    return _add_nested_values(
        rows, {name: paths[name] for name in layout.columns if name not in names}, layout
    )


def _add_nested_values(rows: DataFrame, paths: Mapping[str, Path], layout: FileLayout) -> DataFrame:
    """Add the values that are not at the top of a record to the struct `c`, each under the name of its column."""
    if not paths:
        return rows
    numbers = {name: f"_value_{n}" for n, name in enumerate(paths)}
    rows = extract_values(rows, "raw", {numbers[name]: path for name, path in paths.items()})
    values = [F.col(numbers[name]) if name in numbers else F.col(f"c.`{name}`") for name in layout.columns]
    named = [value.alias(name) for value, name in zip(values, layout.columns, strict=True)]
    return rows.withColumn("c", F.struct(*named)).drop(*numbers.values())


def _text_schema(columns: Iterable[str]) -> str:
    return ", ".join(f"`{name}` string" for name in (*columns, BROKEN))

"""Read deliveries into raw rows: every declared column as text, next to the exact text of the row."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifestage.ingestion.sources.deliveries import Delivery, escape_glob, is_missing_file
from lifestage.ingestion.sources.layout import FileLayout, Format
from lifestage.ingestion.sources.parsing import csv_header, parse_lines
from lifestage.ingestion.sources.quoting import join_quoted_lines, opens_value
from lifestage.platform.errors import SourceError
from lifestage.platform.runtime.frames import local_rows


def read_raw(spark: SparkSession, layout: FileLayout, deliveries: Sequence[Delivery]) -> DataFrame:
    """Read the deliveries of one source; one row per record, header lines included.

    Columns: `delivery_no`, `file_name`, `raw` (the row as text), `is_header`, `is_broken`, and the struct `c` with the
    declared columns as text. Values of Parquet and Delta files are cast to text, and `raw` is their JSON. Call
    `check_headers` before you use the rows, then drop the header lines.

    Raises:
        SourceError: if a Parquet or Delta delivery lacks a declared column or holds another kind of values in it, or if a
            file cannot be read to its end or disappeared.
    """
    try:
        if layout.format in (Format.CSV, Format.JSON):
            rows = parse_lines(_read_lines(spark, layout, deliveries), layout)
        else:
            rows = _read_typed_files(spark, layout, deliveries)
    except (Py4JJavaError, PySparkException) as error:
        raise _to_source_error(error, deliveries) from error
    files = [(d.path, PurePosixPath(unquote(d.path)).name, d.delivery_no) for d in deliveries]
    numbers = local_rows(spark, files, "file string, file_name string, delivery_no bigint")
    return rows.join(F.broadcast(numbers), on="file", how="inner")


def check_headers(rows: DataFrame, layouts: Mapping[str, FileLayout], deliveries: Sequence[Delivery]) -> None:
    """Check that each non-empty CSV file has the declared header.

    Args:
        rows: Raw rows with `delivery_no` and `is_header`, not evaluated yet: this is the first query on the files.
        layouts: Layout by source.
        deliveries: The files that the rows come from.

    Raises:
        SourceError: naming every file with a wrong header, or the files that Spark cannot read to their end.
    """
    try:
        with_header = {
            row["delivery_no"] for row in rows.where("is_header").select("delivery_no").distinct().collect()
        }
    except (Py4JJavaError, PySparkException) as error:
        raise _to_source_error(error, deliveries) from error
    problems = []
    for d in deliveries:
        layout = layouts[d.source]
        if layout.format is Format.CSV and d.n_bytes > 0 and d.delivery_no not in with_header:
            line = rows.sparkSession.read.text(escape_glob(d.path)).first()
            if line:
                expected = (
                    f"expected the header {csv_header(layout)}, found {_mask_line(line['value'], layout)}"
                )
                problems.append(f"{d}: {expected}")
    if problems:
        raise SourceError("\n".join(problems))


def _to_source_error(error: Exception, deliveries: Sequence[Delivery]) -> Exception:
    """Translate a read failure into a SourceError for the files that it names; return other errors unchanged."""
    named = [d for d in deliveries if d.path.partition(":")[2].lstrip("/") in str(error)]
    is_missing = is_missing_file(error)
    if not named or not (is_missing or "FAILED_READ_FILE" in str(error)):
        return error
    fault = (
        "disappeared while it was read"
        if is_missing
        else "cannot be read to its end: is it truncated, damaged or of other types?"
    )
    problems = [f"{d}: {fault}" for d in named]
    return SourceError(
        "\n".join(problems) + "\nnothing was written: deliver it again, and the next run reads it"
    )


def _mask_line(line: str, layout: FileLayout) -> str:
    """Return the line if most of its cells are declared columns; otherwise letters as x and digits as 9.

    A line that is not a header may hold personal data.
    """
    line = line[:200].strip("\ufeff")
    cells = [cell.strip(f" {layout.quote}").lower() for cell in line.split(layout.delimiter)]
    if 2 * sum(cell in {name.lower() for name in layout.columns} for cell in cells) >= len(cells):
        return line
    return re.sub(r"\d", "9", re.sub(r"[^\W\d]", "x", line))


def _read_lines(spark: SparkSession, layout: FileLayout, deliveries: Sequence[Delivery]) -> DataFrame:
    """Read files as `file` and `raw`, the text of one row: a line, or the lines of a quoted value with line breaks."""
    lines = _read_text(spark, layout, [d.path for d in deliveries if d.known_as is None])
    if layout.format is Format.CSV:
        opened = [row["file"] for row in lines.where(opens_value(layout)).select("file").distinct().collect()]
        if opened:
            # Sort the lines only of files in which a value is left open.
            others = lines.where(~F.col("file").isin(opened)).select("file", "raw")
            lines = others.unionByName(join_quoted_lines(_read_text(spark, layout, opened), layout))
    return lines.select("file", "raw").where("raw <> ''")


def _read_text(spark: SparkSession, layout: FileLayout, paths: Sequence[str]) -> DataFrame:
    """Read the lines of files, with their place (see `PLACE`) and their text `raw`."""
    lines = spark.read.text([escape_glob(path) for path in paths])
    # The text reader ignores its encoding option and returns the bytes as they are.
    is_utf8 = layout.encoding.upper() == "UTF-8"
    raw = F.col("value") if is_utf8 else F.decode(F.col("value").cast("binary"), layout.encoding)
    return lines.select(
        F.col("_metadata.file_path").alias("file"),
        raw.alias("raw"),
        F.col("_metadata.file_block_start").alias("_block"),
        F.monotonically_increasing_id().alias("_line"),
    )


def _read_typed_files(spark: SparkSession, layout: FileLayout, deliveries: Sequence[Delivery]) -> DataFrame:
    if layout.format is Format.DELTA:
        path, _, version = deliveries[-1].path.rpartition("@v")
        rows = spark.read.format("delta").option("versionAsOf", version).load(path)
        _check_columns({deliveries[-1]: dict(rows.dtypes)}, layout)
        rows = rows.withColumn("file", F.lit(deliveries[-1].path))
    else:
        # Check each file alone: reading them together fills a column that one file lacks with NULL.
        _check_columns({d: dict(spark.read.parquet(escape_glob(d.path)).dtypes) for d in deliveries}, layout)
        rows = spark.read.parquet(*[escape_glob(d.path) for d in deliveries])
        rows = rows.withColumn("file", F.col("_metadata.file_path"))
    # A cast of an instant to text leaves out the offset that cast_columns requires.
    instants = {name for name, kind in rows.dtypes if kind == layout.columns.get(name) == "timestamp"}
    texts = {name: F.date_format(name, "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX") for name in instants}
    columns = F.struct(*[texts.get(name, F.col(name).cast("string")).alias(name) for name in layout.columns])
    return rows.select("file", columns.alias("c")).select(
        "file",
        F.to_json("c").alias("raw"),
        "c",
        F.lit(False).alias("is_header"),
        F.lit(False).alias("is_broken"),
    )


def _check_columns(found: Mapping[Delivery, Mapping[str, str]], layout: FileLayout) -> None:
    problems = [
        f"{d}: {problem}" for d, types in found.items() for problem in _find_column_problems(types, layout)
    ]
    if problems:
        raise SourceError("\n".join(problems))


def _find_column_problems(types: Mapping[str, str], layout: FileLayout) -> Iterator[str]:
    """Find declared columns that a file lacks, or whose values a cast to text would lose or change."""
    if missing := [name for name in layout.columns if name not in types]:
        yield f"expected columns {', '.join(missing)}, found {', '.join(types)}"
    for name, declared in layout.columns.items():
        kind = types.get(name, declared)
        if kind.startswith(("struct<", "array<", "map<")):
            yield f"column {name} is {kind}: nested columns cannot be read, deliver its fields as columns of their own"
        elif kind == "binary":
            yield f"column {name} is binary, declared {declared}: deliver it as text"
        elif (kind, declared) == ("timestamp", "local_timestamp"):
            yield f"column {name} holds instants: declare it timestamp, or its times would shift by the offset of the zone"

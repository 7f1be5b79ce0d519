"""Read deliveries into raw rows: every declared column as text, next to the exact text of the row."""

import re
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import PurePosixPath
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from lifestage.ingestion.sources.decoding import codec_name
from lifestage.ingestion.sources.deliveries import Delivery, escape_glob, is_missing_file, scan_files
from lifestage.ingestion.sources.holding import BadFilesError
from lifestage.ingestion.sources.layout import FileLayout, Format, Header
from lifestage.ingestion.sources.opening import mask_unless_known
from lifestage.ingestion.sources.parsing import csv_header, parse_lines
from lifestage.ingestion.sources.paths import Each, Path, find_type, list_path, select_value, split_at_list
from lifestage.ingestion.sources.quoting import join_quoted_lines, opens_value
from lifestage.ingestion.sources.schemas import find_column_problems
from lifestage.ingestion.sources.whole_files import (
    UNREADABLE,
    decode_files,
    find_undecodable,
    is_decoded,
)
from lifestage.platform.runtime.frames import local_rows

# As text, with and without an offset.
WALL_TIME = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"
INSTANT = f"{WALL_TIME}XXX"


def read_raw(spark: SparkSession, layout: FileLayout, deliveries: Sequence[Delivery]) -> DataFrame:
    """Read the deliveries of one source; one row per record, header lines included.

    Columns: `delivery_no`, `file_name`, `raw` (the row as text), `is_header`, `is_broken`, and the struct `c` with the
    declared columns as text. Values of Parquet and Delta files are cast to text, and `raw` is the JSON of these. For
    Avro and Excel files, `raw` is the JSON of the whole record. Call `check_headers` before you use the rows, then drop the header lines.

    Raises:
        BadFilesError: if a Parquet or Delta delivery lacks a declared column or holds another kind of values in it, or if a
            file cannot be read to its end or disappeared.
    """
    try:
        if layout.format in (Format.PARQUET, Format.DELTA):
            rows = _read_typed_files(spark, layout, deliveries)
        else:
            rows = _read_texts(spark, layout, deliveries)
    except (Py4JJavaError, PySparkException) as error:
        raise _to_source_error(error, spark, {d.source: layout for d in deliveries}, deliveries) from error
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
        BadFilesError: naming every file with a wrong header, or the files that Spark cannot read to their end.
    """
    try:
        with_header = {
            row["delivery_no"] for row in rows.where("is_header").select("delivery_no").distinct().collect()
        }
    except (Py4JJavaError, PySparkException) as error:
        raise _to_source_error(error, rows.sparkSession, layouts, deliveries) from error
    faults = {}
    for d in deliveries:
        layout = layouts[d.source]
        has_header = layout.format is Format.CSV and layout.header is not Header.NONE
        if has_header and d.n_bytes > 0 and d.delivery_no not in with_header:
            line = _read_text(rows.sparkSession, layout, [d]).orderBy("_line").first()
            if line:
                found = mask_unless_known(line["raw"], layout)
                faults[d] = f"expected the header {csv_header(layout)}, found {found}"
    if faults:
        raise BadFilesError(faults)


def _to_source_error(
    error: Exception, spark: SparkSession, layouts: Mapping[str, FileLayout], deliveries: Sequence[Delivery]
) -> Exception:
    """Translate a read failure into a BadFilesError for the files that cannot be read; return other errors unchanged."""
    advice = "nothing was written: deliver it again, and the next run reads it"
    if UNREADABLE in str(error) and (faults := _find_undecodable(spark, layouts, deliveries)):
        return BadFilesError(faults, advice)
    named = [d for d in deliveries if d.path.partition(":")[2].lstrip("/") in str(error)]
    is_missing = is_missing_file(error)
    if not named or not (is_missing or "FAILED_READ_FILE" in str(error)):
        return error
    fault = (
        "disappeared while it was read"
        if is_missing
        else "cannot be read to its end: is it truncated, damaged or of other types?"
    )
    return BadFilesError(dict.fromkeys(named, fault), advice)


def _find_undecodable(
    spark: SparkSession, layouts: Mapping[str, FileLayout], deliveries: Sequence[Delivery]
) -> dict[Delivery, str]:
    """Return every file that cannot be decoded, with the reason. Spark's error names only one of them."""
    faults = {}
    for source in sorted({d.source for d in deliveries}):
        layout = layouts[source]
        whole = {
            d.path: d for d in deliveries if d.source == source and is_decoded(layout, d.path, d.is_document)
        }
        if whole and layout.format not in (Format.PARQUET, Format.DELTA):
            files = scan_files(spark, [escape_glob(path) for path in whole])
            documents = [path for path, d in whole.items() if d.is_document]
            for path, reason in find_undecodable(files, layout, documents).items():
                faults[whole[path]] = f"cannot be read: {reason}"
    return faults


def _read_texts(spark: SparkSession, layout: FileLayout, deliveries: Sequence[Delivery]) -> DataFrame:
    """Read files of any format but Parquet and Delta. Files with the same header are parsed together."""
    headers = sorted({d.header for d in deliveries}, key=lambda header: header or "") or [None]
    frames = []
    for header in headers:
        lines = _read_lines(spark, layout, [d for d in deliveries if d.header == header])
        frames.append(parse_lines(lines, layout, header))
    return reduce(DataFrame.unionByName, frames)


def _read_lines(spark: SparkSession, layout: FileLayout, deliveries: Sequence[Delivery]) -> DataFrame:
    """Read files as `file` and `raw`, the text of one row: a line, or the lines of a quoted value with line breaks."""
    lines = _read_text(spark, layout, [d for d in deliveries if d.known_as is None])
    if layout.format is Format.CSV:
        opened = {row["file"] for row in lines.where(opens_value(layout)).select("file").distinct().collect()}
        if opened:
            # Sort the lines only of files in which a value is left open.
            others = lines.where(~F.col("file").isin(opened)).select("file", "raw")
            of_opened = _read_text(spark, layout, [d for d in deliveries if d.path in opened])
            lines = others.unionByName(join_quoted_lines(of_opened, layout))
    return lines.select("file", "raw").where("raw <> ''")


def _read_text(spark: SparkSession, layout: FileLayout, deliveries: Sequence[Delivery]) -> DataFrame:
    """Read the lines of files, with their place (see `PLACE`) and their text `raw`."""
    whole = [d for d in deliveries if is_decoded(layout, d.path, d.is_document)]
    frames = []
    if whole:
        files = scan_files(spark, [escape_glob(d.path) for d in whole])
        lines = decode_files(files, layout, [d.path for d in whole if d.is_document])
        frames.append(lines.withColumn("raw", F.col("raw").cast("string")))
    split = [d for d in deliveries if not is_decoded(layout, d.path, d.is_document)]
    if split or not whole:
        lines = spark.read.text([escape_glob(d.path) for d in split])
        # The text reader ignores its encoding option and returns the bytes as they are.
        is_utf8 = codec_name(layout.encoding) == "utf-8"
        raw = F.col("value") if is_utf8 else F.decode(F.col("value").cast("binary"), "ISO-8859-1")
        frames.append(
            lines.select(
                F.col("_metadata.file_path").alias("file"),
                F.col("_metadata.file_block_start").alias("_block"),
                F.monotonically_increasing_id().alias("_line"),
                raw.alias("raw"),
            )
        )
    return reduce(DataFrame.unionByName, frames)


def _read_typed_files(spark: SparkSession, layout: FileLayout, deliveries: Sequence[Delivery]) -> DataFrame:
    if layout.format is Format.DELTA:
        path, _, version = deliveries[-1].path.rpartition("@v")
        rows = spark.read.format("delta").option("versionAsOf", version).load(path)
        _check_columns({deliveries[-1]: rows.schema}, layout)
        rows = rows.withColumn("file", F.lit(deliveries[-1].path))
        return _to_raw(rows, layout)
    # Look at each file alone: reading files of several schemas together fails, or fills the columns that one of them
    # lacks with NULL.
    schemas = {d: _read_parquet(spark, [d]).schema for d in deliveries}
    _check_columns(schemas, layout)
    groups: dict[str, list[Delivery]] = {}
    for d, schema in schemas.items():
        groups.setdefault(f"{_base_path(d)} {schema.simpleString()}", []).append(d)
    frames = []
    for group in groups.values():
        rows = _read_parquet(spark, group).withColumn("file", F.col("_metadata.file_path"))
        frames.append(_to_raw(rows, layout))
    return reduce(DataFrame.unionByName, frames)


def _read_parquet(spark: SparkSession, deliveries: Sequence[Delivery]) -> DataFrame:
    """Read files of one folder, with the columns that the names of its subfolders give."""
    paths = [escape_glob(d.path) for d in deliveries]
    base = _base_path(deliveries[0])
    return spark.read.options(**({"basePath": base} if base else {})).parquet(*paths)


def _base_path(delivery: Delivery) -> str:
    """Return the folder above those whose names give a column, such as `day=2026-01-05`; empty if there is none."""
    base, found, _ = re.sub(r"/[^/=]+=[^/]*/", "/=/", unquote(delivery.path), count=1).partition("/=/")
    return base if found else ""


def _to_raw(rows: DataFrame, layout: FileLayout) -> DataFrame:
    """Return the declared columns of typed rows as text, and as the JSON of the row."""
    paths = layout.paths
    of_list = list_path(paths.values())
    if of_list is not None:
        items = F.posexplode_outer(select_value(of_list)).alias("_number", "_item")
        rows = rows.select("*", items).withColumn("_number", (F.col("_number") + 1).cast("string"))
    columns = [
        _to_text(select_value(path), find_type(rows.schema, path), name, layout).alias(name)
        for name, path in ((name, _in_row(path)) for name, path in paths.items())
    ]
    return rows.select("file", F.struct(*columns).alias("c")).select(
        "file",
        F.to_json("c").alias("raw"),
        "c",
        F.lit(False).alias("is_header"),
        F.lit(False).alias("is_broken"),
    )


def _in_row(path: Path) -> Path:
    """Return the path in a row whose list of records was made into rows."""
    _, item = split_at_list(path)
    if item is None:
        return path
    return ("_number",) if item == (Each.NUMBER,) else ("_item", *item)


def _to_text(value: Column, kind: str | None, name: str, layout: FileLayout) -> Column:
    """Return a value as the text that `cast_columns` reads."""
    declared = layout.columns[name]
    if kind == "bigint" and declared in ("timestamp", "local_timestamp") and name not in layout.formats:
        # Spark reads Parquet's nanoseconds as whole numbers; a timestamp holds microseconds.
        micros = F.timestamp_micros(F.floor(value.cast("decimal(20,0)") / F.lit(1000)).cast("bigint"))
        return F.date_format(micros, WALL_TIME if declared == "local_timestamp" else INSTANT)
    # A cast of an instant to text leaves out the offset that cast_columns requires.
    if kind == declared == "timestamp":
        return F.date_format(value, INSTANT)
    return value.cast("string")


def _check_columns(found: Mapping[Delivery, StructType], layout: FileLayout) -> None:
    problems = {}
    for d, schema in found.items():
        types = {name: find_type(schema, path) for name, path in layout.paths.items()}
        problems[d] = "; ".join(find_column_problems(types, schema.names, layout))
    if faults := {d: problem for d, problem in problems.items() if problem}:
        raise BadFilesError(faults)

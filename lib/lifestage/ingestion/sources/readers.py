"""Raw rows of deliveries, every column as text and typed later, each with the text it came from."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import PurePosixPath
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lifestage.ingestion.sources.deliveries import Delivery, readable
from lifestage.ingestion.sources.layout import FileLayout, Format
from lifestage.platform.errors import SourceError
from lifestage.platform.runtime.frames import local_rows

# Spark fills in what a text leaves out: today where the date is missing, January where the month is.
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME = r"[T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
OFFSET = r" ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)"

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9998, 12, 31)

# Columns of a raw row under names that no declared column has.
OWN = {"raw": "_raw", "delivery_no": "_delivery_no", "is_header": "_header", "is_broken": "_broken"}


def read_raw(spark: SparkSession, layout: FileLayout, deliveries: Sequence[Delivery]) -> DataFrame:
    """Rows of the deliveries: delivery_no, file_name, raw (text), is_broken, and a struct `c` of declared columns.

    Text columns of csv and json hold what the file says; typed formats are cast to text only where they differ from
    the declared type. Each csv file must begin with the declared header.
    """
    if layout.format in (Format.CSV, Format.JSON):
        rows = parsed(_lines(spark, layout, deliveries), layout)
    else:
        rows = _typed_files(spark, layout, deliveries)
    return rows.join(F.broadcast(_numbers(spark, deliveries)), on="file", how="inner").drop("file")


def parsed(lines: DataFrame, layout: FileLayout) -> DataFrame:
    """The lines, and what their text `raw` says: adds the struct `c`, is_header and is_broken.

    The text of a row of a typed format is the JSON that `read_raw` gave it.
    """
    return _csv(lines, layout) if layout.format is Format.CSV else _json(lines, layout)


def typed(raw: DataFrame, layout: FileLayout, zone: str) -> DataFrame:
    """The declared columns of raw rows with their types, NULL where the text is not of the type.

    Beside them `_raw`, `_delivery_no`, `_header`, `_broken`, file_name, and `_faults`: a reason for each text that is
    not of its type, as one text (see listed_reasons). Texts, values and reasons follow each other in three projections,
    so that no text is trimmed, cast or matched twice.
    """
    kinds = layout.columns
    own = [F.col(name).alias(alias) for name, alias in OWN.items()]
    texts = raw.select(*own, "file_name", *[_trimmed(name).alias(f"_text_{name}") for name in kinds])
    values = texts.select(
        "*", *[_typed(name, kind, layout, zone).alias(name) for name, kind in kinds.items()]
    )
    faults = joined_reasons(_type_reasons(layout, zone)).alias("_faults")
    return values.select(*OWN.values(), "file_name", faults, *[f"`{name}`" for name in kinds])


def known_day(day: Column) -> Column:
    """NULL for the days of year 1 or 9999, by which systems say that they know none, and for what Python cannot hold."""
    return F.when(day.between(FIRST_DAY, LAST_DAY), day)


def broken_reason(raw: Column) -> Column:
    """Why a line could not be read."""
    return F.when(F.is_valid_utf8(raw), F.lit("malformed")).otherwise(F.lit("wrong_encoding"))


def joined_reasons(reasons: Sequence[Column]) -> Column:
    """The reasons that hold as lines of one text, empty for a good row: far cheaper per row than arrays."""
    return F.concat_ws("\n", *reasons) if reasons else F.lit("")


def listed_reasons(text: Column) -> Column:
    """The lines of joined_reasons as a sorted array; empty for the empty text."""
    none = F.array().cast("array<string>")
    lines = F.trim(text, F.lit("\n"))
    return F.when(lines == "", none).otherwise(F.array_sort(F.split(lines, "\n+")))


def count_reasons(rows: DataFrame, column: str) -> dict[int, dict[str, int]]:
    """Rows by delivery and reason, of a column of listed reasons; bounded by deliveries times rules."""
    named = rows.select("delivery_no", F.explode(column).alias("reason"))
    result: dict[int, dict[str, int]] = {}
    for row in named.groupBy("delivery_no", "reason").count().orderBy("delivery_no", "reason").collect():
        result.setdefault(row["delivery_no"], {})[row["reason"]] = row["count"]
    return result


def check_headers(rows: DataFrame, layouts: Mapping[str, FileLayout], deliveries: Sequence[Delivery]) -> None:
    """SourceError naming each csv file that does not carry the declared header, or a file that cannot be read.

    Args:
        rows: rows read, with delivery_no and is_header; nothing has looked at them yet.
        layouts: layout by source.
        deliveries: the files.
    """
    try:
        headed = {
            row["delivery_no"] for row in rows.where("is_header").select("delivery_no").distinct().collect()
        }
    except (Py4JJavaError, PySparkException) as error:
        raise _unreadable(error, deliveries) from error
    wrong = []
    for d in deliveries:
        if layouts[d.source].format is Format.CSV and d.n_bytes > 0 and d.delivery_no not in headed:
            layout = layouts[d.source]
            line = rows.sparkSession.read.text(readable(d.path)).first()
            if line:
                expected = f"expected the header {_header(layout)}, found {_shape(line['value'], layout)}"
                wrong.append(f"source {d.source}: {d.path}: {expected}")
    if wrong:
        raise SourceError("\n".join(wrong))


def _unreadable(error: Exception, deliveries: Sequence[Delivery]) -> Exception:
    """The error as one of the source whose file it names; itself where it names none."""
    named = [d for d in deliveries if d.path.partition(":")[2].lstrip("/") in str(error)]
    if "FAILED_READ_FILE" not in str(error) or not named:
        return error
    wrong = [
        f"source {d.source}: {d.path}: cannot be read to its end: cut off, damaged, or of other types?"
        for d in named
    ]
    return SourceError(
        "\n".join(wrong) + "\nnothing was written: deliver it anew, the next run reads it again"
    )


def _header(layout: FileLayout) -> str:
    return layout.delimiter.join(layout.columns)


def _shape(line: str, layout: FileLayout) -> str:
    """A line whose cells are mostly declared columns is a header, of any other only the shape: letters as x, digits as 9."""
    line = line[:200].strip("\ufeff")
    cells = [cell.strip(f" {layout.quote}").lower() for cell in line.split(layout.delimiter)]
    if 2 * sum(cell in {name.lower() for name in layout.columns} for cell in cells) >= len(cells):
        return line
    return re.sub(r"\d", "9", re.sub(r"[^\W\d]", "x", line))


def _numbers(spark: SparkSession, deliveries: Sequence[Delivery]) -> DataFrame:
    files = [(d.path, PurePosixPath(unquote(d.path)).name, d.delivery_no) for d in deliveries]
    return local_rows(spark, files, "file string, file_name string, delivery_no bigint")


def _csv(lines: DataFrame, layout: FileLayout) -> DataFrame:
    """Lines are read as text, so that the exact raw line of any row can be kept.

    A quoted line break inside a value is not supported: such a line is broken and rejected.
    """
    options = {
        "sep": layout.delimiter,
        "quote": layout.quote,
        "escape": layout.quote,
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "_broken",
        "ignoreLeadingWhiteSpace": "true",
        "ignoreTrailingWhiteSpace": "true",
    }
    columns = F.from_csv("raw", _text_schema(layout), options)
    unquoted = F.regexp_replace("raw", f"^\ufeff|{re.escape(layout.quote)}| ", "")
    # The pattern is looked for in few lines only.
    is_header = F.contains("raw", F.lit(next(iter(layout.columns)))) & (
        unquoted == F.lit(_header(layout).replace(" ", ""))
    )
    rows = lines.select("*", columns.alias("c"), is_header.alias("is_header"))
    return rows.withColumn("is_broken", F.col("c._broken").isNotNull() | ~F.is_valid_utf8("raw"))


def _json(lines: DataFrame, layout: FileLayout) -> DataFrame:
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "_broken"}
    columns = F.from_json("raw", _text_schema(layout), options)
    # The parser stops where the first object ends; what follows it on the line would be lost.
    listed = F.concat(F.lit("["), F.regexp_replace("raw", "^\ufeff", ""), F.lit("]"))
    is_one = F.coalesce(F.json_array_length(listed), F.lit(0)) == 1
    broken = F.col("c").isNull() | F.col("c._broken").isNotNull() | ~F.is_valid_utf8("raw") | ~is_one
    return lines.select("*", columns.alias("c"), F.lit(False).alias("is_header")).withColumn(
        "is_broken", broken
    )


def _lines(spark: SparkSession, layout: FileLayout, deliveries: Sequence[Delivery]) -> DataFrame:
    lines = spark.read.text([readable(d.path) for d in deliveries if d.known_as is None])
    # The text reader takes bytes as they are, whatever encoding it is given.
    is_utf8 = layout.encoding.upper() == "UTF-8"
    raw = F.col("value") if is_utf8 else F.decode(F.col("value").cast("binary"), layout.encoding)
    return lines.select(F.col("_metadata.file_path").alias("file"), raw.alias("raw")).where("raw <> ''")


def _typed_files(spark: SparkSession, layout: FileLayout, deliveries: Sequence[Delivery]) -> DataFrame:
    if layout.format is Format.DELTA:
        path, _, version = deliveries[-1].path.rpartition("@v")
        rows = spark.read.format("delta").option("versionAsOf", version).load(path)
        _check_columns({deliveries[-1]: rows.columns}, layout)
        rows = rows.withColumn("file", F.lit(deliveries[-1].path))
    else:
        # Read together, a column that one file lacks would be NULL there.
        _check_columns({d: _parquet_columns(spark, d) for d in deliveries}, layout)
        rows = spark.read.parquet(*[readable(d.path) for d in deliveries])
        rows = rows.withColumn("file", F.col("_metadata.file_path"))
    # The text of an instant has to carry an offset.
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


def _parquet_columns(spark: SparkSession, delivery: Delivery) -> list[str]:
    try:
        return spark.read.parquet(readable(delivery.path)).columns
    except (Py4JJavaError, PySparkException) as error:
        raise _unreadable(error, [delivery]) from error


def _check_columns(found: Mapping[Delivery, Sequence[str]], layout: FileLayout) -> None:
    wrong = [
        f"source {d.source}: {d.path}: expected columns {', '.join(missing)}, found {', '.join(columns)}"
        for d, columns in found.items()
        if (missing := [name for name in layout.columns if name not in columns])
    ]
    if wrong:
        raise SourceError("\n".join(wrong))


def _text_schema(layout: FileLayout) -> str:
    return ", ".join(f"`{name}` string" for name in (*layout.columns, "_broken"))


def _trimmed(name: str) -> Column:
    """The column's text; the empty text is no value."""
    return F.nullif(F.trim(F.col(f"c.`{name}`")), F.lit(""))


def _text(name: str) -> Column:
    return F.col(f"`_text_{name}`")


def _typed(name: str, kind: str, layout: FileLayout, zone: str, check: bool = True) -> Column:
    text, pattern = _text(name), layout.formats.get(name)
    match kind:
        case "string":
            return text
        case "timestamp":
            if pattern:
                return F.try_to_timestamp(text, F.lit(pattern))
            return F.when(text.rlike(f"{DAY}{TIME}{OFFSET}$"), text.try_cast("timestamp"))
        case "local_timestamp":
            return _local(text, pattern, layout.time_zone or zone, check)
        case "date":
            if pattern:
                return F.try_to_date(text, pattern)
            return F.when(text.rlike(f"{DAY}([T ]|$)"), text.try_cast("date"))
        case _:
            return text.try_cast(kind)


def _type_reasons(layout: FileLayout, zone: str) -> list[Column]:
    """A reason for each column whose text is there but is not of the declared type."""
    reasons = []
    for name, kind in layout.columns.items():
        if kind == "string":
            continue
        wrong = _text(name).isNotNull() & F.col(f"`{name}`").isNull()
        reasons.append(F.when(wrong, F.lit(f"not_a_{kind.split('(')[0]}:{name}")))
        if kind == "local_timestamp":
            missing = wrong & _typed(name, kind, layout, zone, check=False).isNotNull()
            reasons[-1] = F.when(missing, F.lit(f"local_time_does_not_exist:{name}")).otherwise(reasons[-1])
    return reasons


def _local(text: Column, pattern: str | None, zone: str, check: bool) -> Column:
    """Wall time to instant; NULL for a time that the zone's clocks skip. Of two instants the earlier is taken."""
    plain = F.when(text.rlike(f"{DAY}({TIME})?$"), text.try_cast("timestamp"))
    wall = F.try_to_timestamp(text, F.lit(pattern)) if pattern else plain
    instant = F.to_utc_timestamp(wall, zone)
    if not check:
        return instant
    return F.when(F.from_utc_timestamp(instant, zone) == wall, instant)

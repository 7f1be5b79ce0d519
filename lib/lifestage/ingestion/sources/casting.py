"""Cast the text columns of raw rows to their declared types, with a reason for each text that does not fit."""

import re
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.layout import FileLayout
from lifestage.ingestion.sources.notation import EPOCHS, NUMBERS, to_instant, to_plain_number
from lifestage.ingestion.sources.reasons import join_reasons

# Spark fills in what a text leaves out: today's date, or January. The patterns demand a complete text.
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME = r"[T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
OFFSET = r" ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9998, 12, 31)

# Columns of a raw row, renamed so that they cannot clash with a declared column.
OWN = {"raw": "_raw", "delivery_no": "_delivery_no", "is_header": "_header", "is_broken": "_broken"}


def cast_columns(raw: DataFrame, layout: FileLayout, zone: str) -> DataFrame:
    """Cast the struct `c` of raw rows to the declared columns; one row per raw row.

    A column is NULL if its text is empty or not of the declared type. Besides the declared columns, the result has
    `_raw`, `_delivery_no`, `_header`, `_broken`, `file_name`, `_skipped`, `_rounded`, and `_faults`: the warnings of numbers
    with more decimals than declared, and the reasons for texts of a wrong type, each as one text (see `split_reasons`). A local time that the clocks skip is a fault; an ambiguous one takes the earlier
    instant.

    Args:
        raw: Rows of `read_raw` or `parse_lines`.
        layout: Declared columns, types and patterns.
        zone: Time zone of `local_timestamp` columns if the layout names none.
    """
    own = [F.col(name).alias(alias) for name, alias in OWN.items()]
    # Three projections in a row: texts, values, reasons. No text is trimmed, cast or matched twice.
    nulls = ["", layout.null_text] if layout.null_text else [""]
    trimmed = [
        _null_if(F.trim(F.col(f"c.`{name}`")), nulls).alias(f"_text_{name}") for name in layout.columns
    ]
    texts = raw.select(*own, "file_name", *trimmed)
    values = texts.select("*", *[_cast_text(name, layout, zone).alias(name) for name in layout.columns])
    faults = join_reasons(_type_reasons(layout, zone)).alias("_faults")
    is_skipped = F.coalesce(F.expr(layout.skip_when), F.lit(False)) if layout.skip_when else F.lit(False)
    columns = [f"`{name}`" for name in layout.columns]
    rounded = join_reasons(_rounding_warnings(layout)).alias("_rounded")
    return values.select(*OWN.values(), "file_name", faults, rounded, is_skipped.alias("_skipped"), *columns)


def _null_if(text: Column, nulls: list[str]) -> Column:
    return reduce(lambda value, null: F.nullif(value, F.lit(null)), nulls, text)


def null_if_sentinel(day: Column) -> Column:
    """Return the date, or NULL outside 1900-01-01 to 9998-12-31.

    Systems write days of the year 1 or 9999 for an unknown date, and Python cannot hold dates beyond 9999.
    """
    return F.when(day.between(FIRST_DAY, LAST_DAY), day)


def _cast_text(name: str, layout: FileLayout, zone: str, reject_gaps: bool = True) -> Column:
    text, pattern, sql_type = F.col(f"`_text_{name}`"), layout.formats.get(name), layout.columns[name]
    match sql_type:
        case "string":
            return text
        case "timestamp":
            if pattern:
                return _parse_time(text, pattern)
            return F.when(text.rlike(f"{DAY}{TIME}{OFFSET}$"), text.try_cast("timestamp"))
        case "local_timestamp":
            return _cast_local_time(text, pattern, layout.time_zone or zone, reject_gaps)
        case "date":
            if pattern:
                return F.try_to_date(text, pattern)
            return F.when(text.rlike(f"{DAY}([T ]|$)"), text.try_cast("date"))
        case _:
            number = to_plain_number(text, pattern) if pattern in NUMBERS else text
            return number.try_cast(sql_type)


def _parse_time(text: Column, pattern: str) -> Column:
    return to_instant(text, pattern) if pattern in EPOCHS else F.try_to_timestamp(text, F.lit(pattern))


def _type_reasons(layout: FileLayout, zone: str) -> list[Column]:
    """Return a reason for each column whose text is present but not of the declared type."""
    reasons = []
    for name, sql_type in layout.columns.items():
        if sql_type == "string":
            continue
        is_wrong = F.col(f"`_text_{name}`").isNotNull() & F.col(f"`{name}`").isNull()
        reason = F.when(is_wrong, F.lit(f"not_a_{sql_type.split('(')[0]}:{name}"))
        if sql_type == "local_timestamp":
            is_gap = is_wrong & _cast_text(name, layout, zone, reject_gaps=False).isNotNull()
            reason = F.when(is_gap, F.lit(f"local_time_does_not_exist:{name}")).otherwise(reason)
        reasons.append(reason)
    return reasons


def _rounding_warnings(layout: FileLayout) -> list[Column]:
    """Return a warning for each decimal column whose text has more decimals than the column, other than zeros."""
    warnings = []
    for name, sql_type in layout.columns.items():
        # The scale of decimal(18, 2) is 2. Notations of money are not compared as text.
        scale = re.fullmatch(r"decimal\(\d+, ?(\d+)\)", sql_type)
        if scale and name not in layout.formats:
            more = F.col(f"`_text_{name}`").rlike(rf"[.][0-9]{{{scale[1]}}}[0-9]*[1-9]")
            warnings.append(F.when(more & F.col(f"`{name}`").isNotNull(), F.lit(f"rounded:{name}")))
    return warnings


def _cast_local_time(text: Column, pattern: str | None, zone: str, reject_gaps: bool) -> Column:
    """Convert wall time in a zone to an instant; of two possible instants, Spark takes the earlier.

    With `reject_gaps`, a time that the zone's clocks skip gives NULL: it does not survive the round trip.
    """
    plain = F.when(text.rlike(f"{DAY}({TIME})?$"), text.try_cast("timestamp"))
    wall = _parse_time(text, pattern) if pattern else plain
    instant = F.to_utc_timestamp(wall, zone)
    if not reject_gaps:
        return instant
    return F.when(F.from_utc_timestamp(instant, zone) == wall, instant)

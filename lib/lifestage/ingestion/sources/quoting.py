"""Join the lines of CSV files that one quoted value with line breaks spreads over.

Files are read line by line. A line in the middle of such a value can look like a row of its own.
"""

import re
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.layout import FileLayout

if TYPE_CHECKING:
    # Pandas takes long to import: only the workers that need it do.
    import pandas as pd

PLACE = ("file", "_block", "_line")
"""The columns that identify a line and order the lines of a file."""


class Inside(IntEnum):
    """What a line does that begins inside a quoted value."""

    STAYS = 0
    CLOSES = 1
    CLOSES_AND_OPENS = 2
    """It closes the value, and its last value is open again."""
    BREAKS = 3
    """It has a quote that neither ends a value nor is doubled: no value with this line in it was ever written."""


def opens_value(layout: FileLayout) -> Column:
    """Whether the text `raw`, read as the beginning of a row, ends inside a quoted value."""
    return _has_quote(layout) & F.rlike("raw", F.lit(f"^{_values(layout)}{_open_value(layout)}$"))


def breaks_quoting(layout: FileLayout) -> Column:
    """Whether the text `raw` has a quote whose meaning must be guessed, if the layout has an escape character.

    Then only an escaped quote is one of the value: a doubled quote, or text after the closing quote, breaks the row.
    """
    if layout.escape is None:
        return F.lit(False)
    return _has_quote(layout) & ~F.rlike(
        "raw", F.lit(f"^{_values(layout, is_strict=True)}{_last_value(layout)}$")
    )


def join_quoted_lines(lines: DataFrame, layout: FileLayout) -> DataFrame:
    """Make one row of the lines that a quoted value with a line break spreads over; other lines stay as they are.

    The lines of a row are joined by a line feed. A value that is never closed, or not as CSV demands, joins nothing: the
    line that opens it is broken, and the lines after it are rows.

    Args:
        lines: The lines of whole files, empty ones included, with `raw` and the columns of `PLACE`.
        layout: Delimiter and quote.
    """
    records = _find_records(lines, layout)
    marked = lines.join(records, on=list(PLACE), how="left")
    parts = F.array_sort(F.collect_list(F.struct("_block", "_line", "raw")))
    raw = F.array_join(F.transform(parts, lambda part: part["raw"]), "\n")
    joined = marked.where("_record IS NOT NULL").groupBy("file", "_record").agg(raw.alias("raw"))
    alone = marked.where("_record IS NULL").select("file", "raw")
    return alone.unionByName(joined.select("file", "raw"))


def _find_records(lines: DataFrame, layout: FileLayout) -> DataFrame:
    """The place of each line of a row of several lines, with the number of the row's first line as `_record`."""
    quote, delimiter = re.escape(layout.quote), re.escape(layout.delimiter)
    closes = f"^{_content(layout)}{quote} *+"
    opens_again = f"{closes}{delimiter}{_values(layout)}{_open_value(layout)}$"
    is_closed = F.rlike("raw", F.lit(f"{closes}(?:{delimiter}|\\r?$)"))
    stays = ~_has_quote(layout) | F.rlike("raw", F.lit(f"^{_content(layout)}{_break_after_escape(layout)}$"))
    inside = (
        F.when(stays, int(Inside.STAYS))
        .when(~is_closed, int(Inside.BREAKS))
        .when(F.rlike("raw", F.lit(opens_again)), int(Inside.CLOSES_AND_OPENS))
        .otherwise(int(Inside.CLOSES))
    )
    # Only what each line does goes to Python, not its text.
    steps = lines.select(*PLACE, opens_value(layout).alias("opens"), inside.cast("tinyint").alias("inside"))
    schema = "file string, _block bigint, _line bigint, _record bigint"
    return steps.groupBy("file").applyInPandas(_number_file, schema)


def _number_file(lines: "pd.DataFrame") -> "pd.DataFrame":
    ordered = lines.sort_values(list(PLACE))
    numbers = number_records(ordered["opens"].to_numpy(), ordered["inside"].to_numpy())
    return ordered.loc[numbers >= 0, list(PLACE)].assign(_record=numbers[numbers >= 0])


def number_records(opens: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Number the lines of one file that belong to a row of several lines by the row's first line; -1 for other lines.

    Args:
        opens: Whether each line opens a value, if it begins a row.
        inside: What each line does if it begins inside a value; see `Inside`.

    Example:
        >>> number_records(np.array([False, True, False, False]), np.array([0, 0, 0, 1])).tolist()
        [-1, 1, 1, 1]
    """
    numbers = np.full(len(opens), -1, dtype=np.int64)
    ends = np.flatnonzero(inside != Inside.STAYS)
    next_row = 0
    for start in np.flatnonzero(opens).tolist():
        if start >= next_row:
            last = _find_last_line(start, ends, inside)
            next_row = start + 1 if last is None else last + 1
            numbers[start:next_row] = -1 if last is None else start
    return numbers


def _find_last_line(start: int, ends: np.ndarray, inside: np.ndarray) -> int | None:
    """The last line of the row that `start` begins; None if one of its values is not closed as CSV demands."""
    last, is_open = start, True
    while is_open:
        after = int(np.searchsorted(ends, last + 1))
        if after == len(ends) or inside[ends[after]] == Inside.BREAKS:
            return None
        last = int(ends[after])
        is_open = inside[last] == Inside.CLOSES_AND_OPENS
    return last


def _has_quote(layout: FileLayout) -> Column:
    return F.contains("raw", F.lit(layout.quote))


def _content(layout: FileLayout) -> str:
    """The text of a quoted value after its opening quote. A doubled or escaped quote is one quote of the text."""
    quote = re.escape(layout.quote)
    if layout.escape is not None:
        escape = re.escape(layout.escape)
        return rf"(?:[^{quote}{escape}]++|{escape}[\s\S])*+"
    return f"(?:[^{quote}]++|{quote}{quote})*+"


def _values(layout: FileLayout, is_strict: bool = False) -> str:
    """Any number of whole values, each with the delimiter after it. A quote counts only where a value begins.

    If strict, only blanks may follow the closing quote of a value.
    """
    quote, delimiter = re.escape(layout.quote), re.escape(layout.delimiter)
    rest = rf"(?:(?!{delimiter})[\s\S])*+"
    quoted = f" *+{quote}{_content(layout)}{quote}{' *+' if is_strict else rest}"
    plain = f"(?! *+{quote}){rest}"
    return f"(?:(?:{quoted}|{plain}){delimiter})*+"


def _last_value(layout: FileLayout) -> str:
    """A whole value that ends the row, its closing quote followed by blanks only."""
    quote = re.escape(layout.quote)
    return rf"(?: *+{quote}{_content(layout)}{quote} *+|(?! *+{quote})[\s\S]*+)"


def _open_value(layout: FileLayout) -> str:
    return f" *+{re.escape(layout.quote)}{_content(layout)}{_break_after_escape(layout)}"


def _break_after_escape(layout: FileLayout) -> str:
    """The escape character before the line break inside a value, which is not in the text of the line."""
    return f"{re.escape(layout.escape)}?" if layout.escape is not None else ""

"""Find the lines of CSV files that belong to a quoted value with a line break.

Files are read line by line, and a line in the middle of such a value can look like a row of its own.
"""

import re
from enum import IntEnum

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.layout import FileLayout

PLACE = ("file", "_block", "_line")
"""The columns that identify a line and order the lines of a file."""


class Inside(IntEnum):
    """How a line continues a quoted value that is open when the line begins."""

    STAYS = 0
    """The value is still open at the end of the line."""
    CLOSES = 1
    """The line closes the value."""
    CLOSES_AND_OPENS = 2
    """The line closes the value, and leaves another one open at its end."""
    BREAKS = 3
    """The line has a quote that neither ends a value nor is doubled. So the line cannot be part of a quoted value."""


def opens_value(layout: FileLayout) -> Column:
    """Whether the text `raw`, read as the beginning of a row, ends inside a quoted value."""
    return _has_quote(layout) & F.rlike("raw", F.lit(f"^{_values(layout)}{_open_value(layout)}$"))


def find_quoted_lines(lines: DataFrame, layout: FileLayout) -> DataFrame:
    """Return the place of each line that belongs to a quoted value with a line break, including its first and last line.

    If a value is never closed, or not in the way that CSV requires, only the line that opens it belongs to it. The lines
    after it are rows.

    Args:
        lines: The lines of whole files, with `raw` and the columns of `PLACE`.
        layout: Delimiter and quote.
    """
    quote, delimiter = re.escape(layout.quote), re.escape(layout.delimiter)
    closes = f"^{_content(layout)}{quote} *+"
    opens_again = f"{closes}{delimiter}{_values(layout)}{_open_value(layout)}$"
    is_closed = F.rlike("raw", F.lit(f"{closes}(?:{delimiter}|\\r?$)"))
    stays = ~_has_quote(layout) | F.rlike("raw", F.lit(f"^{_content(layout)}$"))
    inside = (
        F.when(stays, int(Inside.STAYS))
        .when(~is_closed, int(Inside.BREAKS))
        .when(F.rlike("raw", F.lit(opens_again)), int(Inside.CLOSES_AND_OPENS))
        .otherwise(int(Inside.CLOSES))
    )
    # Send only the class of each line to Python, not its text.
    steps = lines.select(*PLACE, opens_value(layout).alias("opens"), inside.cast("tinyint").alias("inside"))
    return steps.groupBy("file").applyInPandas(_keep_quoted_lines, "file string, _block bigint, _line bigint")


def _keep_quoted_lines(lines: pd.DataFrame) -> pd.DataFrame:
    ordered = lines.sort_values(list(PLACE))
    opens, inside = ordered["opens"].to_numpy(), ordered["inside"].to_numpy()
    return ordered.loc[mark_quoted(opens, inside), list(PLACE)]


def mark_quoted(opens: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Mark the lines of one file that belong to a quoted value with a line break.

    Args:
        opens: Whether each line opens a value, if it begins a row.
        inside: How each line continues a value that is open when it begins; see `Inside`.

    Example:
        >>> mark_quoted(np.array([False, True, False, False]), np.array([0, 0, 0, 1])).tolist()
        [False, True, True, True]
    """
    quoted = np.zeros(len(opens), dtype=bool)
    ends = np.flatnonzero(inside != Inside.STAYS)
    next_row = 0
    for start in np.flatnonzero(opens).tolist():
        if start >= next_row:
            last = _find_last_line(start, ends, inside)
            quoted[start : last + 1] = True
            next_row = last + 1
    return quoted


def _find_last_line(start: int, ends: np.ndarray, inside: np.ndarray) -> int:
    """The last line of the value that line `start` opens.

    If the line that closes the value opens another one, this is the last line of the other value, and so on.
    """
    last, is_open = start, True
    while is_open:
        after = int(np.searchsorted(ends, last + 1))
        if after == len(ends) or inside[ends[after]] == Inside.BREAKS:
            break
        last = int(ends[after])
        is_open = inside[last] == Inside.CLOSES_AND_OPENS
    return last


def _has_quote(layout: FileLayout) -> Column:
    return F.contains("raw", F.lit(layout.quote))


def _content(layout: FileLayout) -> str:
    """The text of a quoted value after its opening quote. A doubled quote is one quote of the text."""
    quote = re.escape(layout.quote)
    return f"(?:[^{quote}]++|{quote}{quote})*+"


def _values(layout: FileLayout) -> str:
    """Any number of complete values, each followed by the delimiter. A quote counts only at the beginning of a value."""
    quote, delimiter = re.escape(layout.quote), re.escape(layout.delimiter)
    rest = rf"(?:(?!{delimiter})[\s\S])*+"
    quoted = f" *+{quote}{_content(layout)}{quote}{rest}"
    plain = f"(?! *+{quote}){rest}"
    return f"(?:(?:{quoted}|{plain}){delimiter})*+"


def _open_value(layout: FileLayout) -> str:
    return f" *+{re.escape(layout.quote)}{_content(layout)}"

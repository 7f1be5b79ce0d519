"""The rows that explain one user, read once for every domain."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


class Scope(StrEnum):
    """Which rows of a table explain a user."""

    USER = "user"
    """The user's rows on the date."""
    HISTORY = "history"
    """The user's rows on the date and on every date before it."""
    SUBJECTS = "subjects"
    """The days of the user's identifiers, up to the date."""
    DATE = "date"
    """All rows of the date, for a table that has few of them."""
    TABLE = "table"
    """The whole table, for a small one."""


@dataclass(frozen=True)
class UserRows:
    """The rows that explain one user as of one date, on the driver."""

    user_id: str
    as_of: date
    identifiers: DataFrame
    """The user's rows of identity_map."""
    tables: Mapping[str, DataFrame]
    """The rows of each table that some domain reads, in its scope."""
    read: Callable[[str], DataFrame]
    """Reads any table as a whole, for rows that no scope covers."""

    def row(self, table: str) -> dict[str, Any]:
        """The first row of a table, as of the date if the table has dates; empty if there is no row."""
        rows = self.tables[table]
        if "as_of" in rows.columns:
            rows = rows.where(F.col("as_of") == F.lit(self.as_of))
        row = rows.first()
        return row.asDict(recursive=True) if row else {}

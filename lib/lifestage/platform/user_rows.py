"""The rows that explain one user, read once for every domain."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.storage.filters import Is, UpTo, Where, is_in

Row = Mapping[str, Any]


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

    def filters(self, user_id: str, subjects: Sequence[str], as_of: date) -> Where:
        """The filters that keep the rows of the scope."""
        match self:
            case Scope.USER:
                return Is("user_id", (user_id,)), Is("as_of", (as_of,))
            case Scope.HISTORY:
                return Is("user_id", (user_id,)), UpTo("as_of", as_of)
            case Scope.SUBJECTS:
                return is_in("subject", subjects), UpTo("event_date", as_of)
            case Scope.DATE:
                return (Is("as_of", (as_of,)),)
            case Scope.TABLE:
                return ()


@dataclass(frozen=True)
class UserRows:
    """The rows that explain one user as of one date, without Spark."""

    user_id: str
    as_of: date
    identifiers: Sequence[Row]
    """The user's rows of identity_map."""
    tables: Mapping[str, Sequence[Row]]
    """The rows of each table that some domain reads, in its scope."""
    evaluate: Callable[[str, Mapping[str, str]], Row]
    """Evaluates SQL expressions, given by name, on the user's row of a table as of the date."""

    def row(self, table: str) -> dict[str, Any]:
        """The first row of a table, as of the date if the table has dates; empty if there is no row."""
        rows = [row for row in self.tables[table] if row.get("as_of", self.as_of) == self.as_of]
        return dict(rows[0]) if rows else {}


@dataclass(frozen=True)
class UserFrames:
    """The rows that explain one user as of one date, as frames: what hypotheses about the user are computed from."""

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

"""Hypotheses about one user after a date: that they stay silent, or that they buy once more.

Each hypothesis is a user of its own, so that one pass computes all of them. Its user_id is its number as text: 0 is
silence, and n is one purchase n days after the date. Its subjects are named `n:subject`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.user_rows import UserFrames

SILENCE = 0
PURCHASE_DAYS = 30


@dataclass(frozen=True)
class Hypotheses:
    """What is assumed about a user, and what the domains have computed from it so far."""

    rows: UserFrames
    """The user as they are."""
    silent_days: int
    """Number of days after the date for which silence is assumed."""
    amount: Decimal | None
    """Amount of the purchase; None if no purchase is assumed."""
    tables: Mapping[str, DataFrame] = field(default_factory=dict)
    """Rows under the hypotheses, by table, of the domains that were asked before."""

    @property
    def numbers(self) -> list[int]:
        """The numbers of the hypotheses."""
        return [SILENCE] if self.amount is None else [*range(PURCHASE_DAYS + 1)]

    @property
    def dates(self) -> list[date]:
        """The dates that some hypothesis is about."""
        n = self.silent_days if self.amount is None else max(self.silent_days, PURCHASE_DAYS)
        return [self.rows.as_of + timedelta(days=k) for k in range(1, n + 1)]

    @property
    def identifiers(self) -> DataFrame:
        """Rows of identity_map for each hypothesis."""
        copies = self._copy(self.rows.identifiers, "identifier")
        return copies.withColumn("user_id", F.substring_index("identifier", ":", 1))

    def copy_days(self, table: str) -> DataFrame:
        """The user's days in a table of subject-days, once for each hypothesis."""
        return self._copy(self.rows.tables[table], "subject")

    def repeat_on_dates(self, table: str) -> DataFrame:
        """Rows of the date, such as norms or cut points, repeated for each date of the hypotheses."""
        return repeat_on_dates(self.rows.tables[table], self.dates)

    def is_asked(self) -> Column:
        """Whether a row by user_id and as_of is needed: for silence each of its days, for a purchase only its own day."""
        number, days = F.col("user_id").cast("int"), F.datediff("as_of", F.lit(self.rows.as_of))
        return (number == days) | ((number == SILENCE) & (days <= self.silent_days))

    def _copy(self, rows: DataFrame, identifier: str) -> DataFrame:
        numbers = local_rows(rows.sparkSession, [(n,) for n in self.numbers], "_number int")
        own = F.concat(F.col("_number").cast("string"), F.lit(":"), F.col(identifier))
        return rows.crossJoin(F.broadcast(numbers)).withColumn(identifier, own).drop("_number")


def repeat_on_dates(rows: DataFrame, dates: Sequence[date]) -> DataFrame:
    """Rows of one as_of, once for each of some dates."""
    days = local_rows(rows.sparkSession, [(day,) for day in dates], "as_of date")
    return rows.drop("as_of").crossJoin(F.broadcast(days))

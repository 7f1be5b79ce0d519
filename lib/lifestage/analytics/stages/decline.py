"""Why users decline: what they spend in each category, beside what all other users spend there."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.platform.reporting.section import Source
from lifestage.platform.storage.contracts import MONEY
from lifestage.users.resolution import add_user, is_identity_valid_as_of, resolve_users

DECLINING = "declining"
SPAN_DAYS = 90
READS = ("category_days", "identity_map", "identity_past")


@dataclass(frozen=True)
class CategoryChange:
    """Net spend in a category: the last 90 days and the 90 days before, of declining users and of all others."""

    category: str
    n_users: int
    """Declining users with a purchase or return in the category."""
    spent_before: Decimal
    spent_now: Decimal
    others_before: Decimal = Decimal()
    others_now: Decimal = Decimal()

    @property
    def lost(self) -> Decimal:
        """What declining users spend less."""
        return self.spent_before - self.spent_now


def read_category_changes(source: Source) -> tuple[CategoryChange, ...]:
    """Read the categories of declining users; empty on a date without such users."""
    as_of = source.as_of
    stages = source.read("user_stages").where(F.col("as_of") == F.lit(as_of))
    if stages.where(F.col("stage") == DECLINING).isEmpty():
        return ()
    users = resolve_users(source.read("identity_map"), source.read("identity_past"), [as_of])
    return count_category_changes(source.read("category_days"), users, stages, as_of)


def count_category_changes(
    category_days: DataFrame, users: DataFrame, stages: DataFrame, as_of: date
) -> tuple[CategoryChange, ...]:
    """The categories of declining users, the greatest loss first; bounded by the categories.

    Reads the rows of the last 180 days, so the cost does not grow with the history. Rows without a category, and users
    without a stage, do not count.

    Args:
        category_days: rows by subject, event_date and category.
        users: the users of identifiers as of the date (see resolve_users).
        stages: user_id, as_of and stage of one date, unique per user_id.
        as_of: the date.
    """
    age = F.datediff(F.lit(as_of), "event_date")
    known = category_days.where(age.between(0, 2 * SPAN_DAYS - 1) & F.col("category").isNotNull())
    days = add_user(known, users).join(stages.select("user_id", "as_of", "stage"), on="user_id")
    is_now = age < SPAN_DAYS
    by_user = (
        days.where(is_identity_valid_as_of())
        .groupBy("category", "user_id", (F.col("stage") == DECLINING).alias("is_declining"))
        .agg(_sum_where(~is_now).alias("before"), _sum_where(is_now).alias("now"))
    )
    own = F.col("is_declining")
    rows = by_user.groupBy("category").agg(
        F.count_if(own).alias("n_users"),
        *[
            F.coalesce(F.sum(F.when(condition, F.col(name))), F.lit(0)).cast(MONEY).alias(f"{group}_{name}")
            for group, condition in (("own", own), ("others", ~own))
            for name in ("before", "now")
        ],
    )
    found = [CategoryChange(*row) for row in rows.where("n_users > 0").collect()]
    return tuple(sorted(found, key=lambda change: (-change.lost, change.category)))


def _sum_where(condition: Column) -> Column:
    return F.sum(F.when(condition, F.col("net_amount")).otherwise(F.lit(0)))

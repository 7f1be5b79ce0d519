"""Identity changes: identifiers whose user or status differs from before, and why."""

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.users.identity.tables import Cause
from lifestage.users.resolution import UserStatus, user_id_of


def find_identity_changes(
    before: DataFrame, after: DataFrame, changed_links: DataFrame, as_of: date
) -> DataFrame:
    """Rows of identity_changes without journal_version and moved_at: one per identifier whose user or status differs.

    A change of status names withheld or restored as its cause; otherwise a merge comes before a split, and a split
    before a new name. Each row has the oldest changed link among those of the user before and the user after; of links
    with the same date the first by a and b.

    Args:
        before: rows of identity_map before the run.
        after: rows of the same identifiers now. An identifier without evidence has no row in one or the other.
        changed_links: a, b and first_on of links that were added, removed or dated anew.
        as_of: the newest date of the run.
    """
    link = F.struct("first_on", "a", "b").alias("link")
    ends = changed_links.select(F.explode(F.array("a", "b")).alias("identifier"), link)
    oldest = ends.groupBy("identifier").agg(F.min("link").alias("link"))
    both = _join_before_and_after(before, after).join(oldest, on="identifier", how="left")
    user_before, user_after = Window.partitionBy("from_user_id"), Window.partitionBy("to_user_id")
    rows = both.withColumns(
        {
            "is_merged": F.min("from_user_id").over(user_after) < F.max("from_user_id").over(user_after),
            "is_split": F.min("to_user_id").over(user_before) < F.max("to_user_id").over(user_before),
            "link": F.least(F.min("link").over(user_before), F.min("link").over(user_after)),
        }
    )
    return rows.where("from_user_id <> to_user_id OR from_status <> to_status").select(
        F.lit(as_of).alias("as_of"), "identifier", "from_user_id", "to_user_id",
        _cause_column().alias("cause"), "link.a", "link.b", "link.first_on", "withheld",
    )  # fmt: skip


def _join_before_and_after(before: DataFrame, after: DataFrame) -> DataFrame:
    """User and status of each identifier before and after; without a row it is an active user of its own."""
    old = before.select(
        "identifier", F.col("user_id").alias("from_user_id"), F.col("status").alias("from_status")
    )
    new = after.select(
        "identifier", F.col("user_id").alias("to_user_id"), F.col("status").alias("to_status"), "withheld"
    )
    own, active = user_id_of(F.col("identifier")), F.lit(str(UserStatus.ACTIVE))
    return old.join(new, on="identifier", how="full").select(
        "identifier",
        F.coalesce("from_user_id", own).alias("from_user_id"),
        F.coalesce("to_user_id", own).alias("to_user_id"),
        F.coalesce("from_status", active).alias("from_status"),
        F.coalesce("to_status", active).alias("to_status"),
        F.coalesce("withheld", F.array().cast("array<string>")).alias("withheld"),
    )


def _cause_column() -> Column:
    was_shared, is_shared = (F.col(name) == str(UserStatus.SHARED) for name in ("from_status", "to_status"))
    return (
        F.when(is_shared & ~was_shared, F.lit(str(Cause.WITHHELD)))
        .when(was_shared & ~is_shared, F.lit(str(Cause.RESTORED)))
        .when(F.col("is_merged"), F.lit(str(Cause.MERGED)))
        .when(F.col("is_split"), F.lit(str(Cause.SPLIT)))
        .otherwise(F.lit(str(Cause.RENAMED)))
    )

"""What moved and why: identifiers whose user is another than before."""

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.users.identity.tables import Cause
from lifestage.users.resolution import UserStatus, user_id_of


def moved(before: DataFrame, after: DataFrame, evidence: DataFrame, as_of: date) -> DataFrame:
    """What identity_changes says of every identifier whose user or status differs, but for when that was told.

    With each, the oldest pair that came or went among those it was or is one person with.

    Args:
        before: rows of identity_map of some persons, before.
        after: rows of the same identifiers, after; what no evidence names any more is missing.
        evidence: a, b and first_on of the pairs that came or went.
        as_of: the newest date of the run.
    """
    both = _both(before, after).join(_oldest(evidence), on="identifier", how="left")
    # Those it was, and is, one person with.
    was, now = Window.partitionBy("from_user_id"), Window.partitionBy("to_user_id")
    told = both.withColumns(
        {
            "is_merged": F.min("from_user_id").over(now) < F.max("from_user_id").over(now),
            "is_split": F.min("to_user_id").over(was) < F.max("to_user_id").over(was),
            "pair": F.least(F.min("pair").over(was), F.min("pair").over(now)),
        }
    )
    return told.where("from_user_id <> to_user_id OR was <> `is`").select(
        F.lit(as_of).alias("as_of"), "identifier", "from_user_id", "to_user_id",
        _cause().alias("cause"), "pair.a", "pair.b", "pair.first_on", "withheld",
    )  # fmt: skip


def _both(before: DataFrame, after: DataFrame) -> DataFrame:
    """Each identifier with its user and status before and after; whom evidence does not name is a user of its own."""
    old = before.select("identifier", F.col("user_id").alias("from_user_id"), F.col("status").alias("was"))
    new = after.select(
        "identifier", F.col("user_id").alias("to_user_id"), F.col("status").alias("is"), "withheld"
    )
    own, active = user_id_of(F.col("identifier")), F.lit(str(UserStatus.ACTIVE))
    return old.join(new, on="identifier", how="full").select(
        "identifier",
        F.coalesce("from_user_id", own).alias("from_user_id"),
        F.coalesce("to_user_id", own).alias("to_user_id"),
        F.coalesce("was", active).alias("was"),
        F.coalesce("is", active).alias("is"),
        F.coalesce("withheld", F.array().cast("array<string>")).alias("withheld"),
    )


def _cause() -> Column:
    is_shared, was_shared = (F.col(name) == str(UserStatus.SHARED) for name in ("is", "was"))
    return (
        F.when(is_shared & ~was_shared, F.lit(str(Cause.WITHHELD)))
        .when(was_shared & ~is_shared, F.lit(str(Cause.RESTORED)))
        .when(F.col("is_merged"), F.lit(str(Cause.MERGED)))
        .when(F.col("is_split"), F.lit(str(Cause.SPLIT)))
        .otherwise(F.lit(str(Cause.RENAMED)))
    )


def _oldest(evidence: DataFrame) -> DataFrame:
    """For each end, the oldest of the pairs that came or went."""
    pair = F.struct("first_on", "a", "b").alias("pair")
    ends = evidence.select(F.explode(F.array("a", "b")).alias("identifier"), pair)
    return ends.groupBy("identifier").agg(F.min("pair").alias("pair"))

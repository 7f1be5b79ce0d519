"""What moved and why: identifiers whose user is another than before."""

from datetime import date, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.tables.identity import user_id_of


def moved(
    before: DataFrame, after: DataFrame, evidence: DataFrame, as_of: date, moved_at: datetime
) -> DataFrame:
    """Rows of identity_changes: every identifier whose user or status differs.

    Args:
        before: rows of identity_map of some persons, before.
        after: rows of the same identifiers, after; what no evidence names any more is missing.
        evidence: a, b and first_on of the pairs that came or went.
        as_of: the newest date of the run.
        moved_at: the run's now.
    """
    old = before.select("identifier", F.col("user_id").alias("from_user_id"), F.col("status").alias("_was"))
    new = after.select("identifier", F.col("user_id").alias("to_user_id"), "status", "withheld")
    own = user_id_of(F.col("identifier"))
    both = old.join(new, on="identifier", how="full").select(
        "identifier",
        F.coalesce("from_user_id", own).alias("from_user_id"),
        F.coalesce("to_user_id", own).alias("to_user_id"),
        F.coalesce("_was", F.lit("active")).alias("was"),
        F.coalesce("status", F.lit("active")).alias("is"),
        F.coalesce("withheld", F.array().cast("array<string>")).alias("withheld"),
    )
    # How many users those of one user come from, and go to.
    sources = both.groupBy("to_user_id").agg(F.count_distinct("from_user_id").alias("_from"))
    targets = both.groupBy("from_user_id").agg(F.count_distinct("to_user_id").alias("_to"))
    rows = both.join(sources, on="to_user_id").join(targets, on="from_user_id")
    rows = rows.where("from_user_id <> to_user_id OR was <> `is`")
    cause = (
        F.when((F.col("is") == "shared") & (F.col("was") != "shared"), F.lit("withheld"))
        .when((F.col("was") == "shared") & (F.col("is") != "shared"), F.lit("restored"))
        .when(F.col("_from") > 1, F.lit("merged"))
        .when(F.col("_to") > 1, F.lit("split"))
        .otherwise(F.lit("older evidence"))
    )
    return (
        rows.withColumn("cause", cause)
        .join(_oldest(both, evidence), on="identifier", how="left")
        .select(
            F.lit(moved_at).cast("timestamp").alias("moved_at"), F.lit(as_of).alias("as_of"), "identifier", "from_user_id", "to_user_id", "cause", "a", "b",
            "first_on", "withheld",
        )
    )  # fmt: skip


def _oldest(both: DataFrame, evidence: DataFrame) -> DataFrame:
    """For each identifier, the oldest of the pairs that came or went among those it was or is one person with."""
    ends = evidence.select(F.explode(F.array("a", "b")).alias("identifier"), "a", "b", "first_on")
    placed = ends.join(both.select("identifier", "from_user_id", "to_user_id"), on="identifier")
    pair = F.struct("first_on", "a", "b")
    by_user = placed.select(
        F.explode(F.array("from_user_id", "to_user_id")).alias("user"), pair.alias("pair")
    )
    least = by_user.groupBy("user").agg(F.min("pair").alias("pair"))
    members = both.select("identifier", F.explode(F.array("from_user_id", "to_user_id")).alias("user"))
    found = members.join(least, on="user").groupBy("identifier").agg(F.min("pair").alias("pair"))
    return found.select("identifier", "pair.*")

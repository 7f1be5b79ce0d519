"""Regrouped users: users who merged, split or were renamed between two dates, because identifiers moved.

Such users neither came nor left. The tables of identity resolution tell them apart from new and churned users.
"""

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows, materialize
from lifestage.users.resolution import user_id_of

KEY = ("user_id", "as_of")
JOURNAL = "identity_changes"
# A date, and the version of identity_changes when its rows were built. Later versions are changes after that. An
# instant would not do, because a run can be given any `now`.
BuiltDate = tuple[date, int]
# The version for a date that is being built: it comes after all recorded changes.
LATEST_VERSION = 2**63 - 1
Read = Callable[[str], DataFrame]


class Regrouped(StrEnum):
    """How a user of one date differs from the users of another."""

    MERGED = "merged"
    SPLIT = "split"
    RENAMED = "renamed"


def journal_versions(runs: DataFrame) -> dict[date, int]:
    """The version of identity_changes at each date's newest build, from completed runs; bounded by the runs."""
    recorded = F.coalesce(F.try_element_at("table_versions", F.lit(JOURNAL)), F.lit(0))
    rows = runs.select(F.explode("as_of_dates").alias("as_of"), recorded.alias("version"))
    newest = rows.groupBy("as_of").agg(F.max("version").alias("version"))
    return {row["as_of"]: row["version"] for row in newest.collect()}


def find_regrouped_users(read: Read, built: Sequence[BuiltDate], users: DataFrame) -> DataFrame:
    """Users who merged, split or were renamed between each date and the next.

    Only users of both dates count: a user whose cookie and member number appear on the same day is new, not merged.

    Args:
        read: reads the tables of identity resolution.
        built: dates, with versions of identity_changes, in the order in which they are compared. A date may come twice.
        users: the users of each date: user_id, as_of and journal_version.

    Returns:
        user_id, as_of (the second of the two dates) and change: merged (with another user), split (into several), or
        renamed (known by another identifier). If several apply, merged comes before split, and split before renamed.
    """
    identity_map = read("identity_map")
    dates = _number_dates(users.sparkSession, built)
    # Few beside the map, and joined from both sides.
    moved = materialize(_resolve_moved(identity_map, read("identity_past"), read(JOURNAL), built, dates))
    of_moved = users.join(dates, on=["as_of", "journal_version"]).join(
        moved.select("user_id").distinct(), on="user_id", how="left_semi"
    )
    known = materialize(of_moved.select("user_id", "number"))
    before = known.select("user_id", (F.col("number") + 1).alias("number"))
    in_order = Window.partitionBy("identifier").orderBy("number")
    pairs = (
        moved.withColumn("was", F.lag("user_id").over(in_order))
        .join(before.withColumnRenamed("user_id", "was"), on=["was", "number"], how="left_semi")
        .join(known, on=["user_id", "number"], how="left_semi")
        .select("number", "was", "user_id")
        .unionByName(_pair_lasting_users(known, before, identity_map, moved))
        .distinct()
    )
    return _count_partners(pairs).join(dates, on="number").groupBy(*KEY).agg(_change_column().alias("change"))


def add_journal_version(rows: DataFrame, built: Sequence[BuiltDate]) -> DataFrame:
    """user_id, as_of and journal_version of rows by user and date. Rows of other dates are dropped.

    Each date occurs once in `built`.
    """
    dates = _number_dates(rows.sparkSession, built).drop("number")
    return rows.select(*KEY).join(dates, on="as_of")


def to_users_of_date(rows: DataFrame, built: BuiltDate) -> DataFrame:
    """user_id, as_of and journal_version of rows by user of one date."""
    day, version = built
    return rows.select(
        "user_id", F.lit(day).alias("as_of"), F.lit(version).cast("bigint").alias("journal_version")
    )


def _number_dates(spark: SparkSession, built: Sequence[BuiltDate]) -> DataFrame:
    """number, as_of and journal_version: the dates, numbered in their order."""
    rows = [(number, *each) for number, each in enumerate(built)]
    return F.broadcast(local_rows(spark, rows, "number int, as_of date, journal_version bigint"))


def _resolve_moved(
    identity_map: DataFrame,
    identity_past: DataFrame,
    changes: DataFrame,
    built: Sequence[BuiltDate],
    dates: DataFrame,
) -> DataFrame:
    """The user on each date of every identifier that moved since the first build: identifier, number and user_id."""
    first_version = min((version for _, version in built), default=0)
    journal = changes.where(F.col("journal_version") > F.lit(first_version)).select(
        "identifier", F.col("journal_version").alias("moved_in"), "from_user_id"
    )
    # A date that was built again has only the rows of its newest build, which say nothing of an earlier build.
    past = (
        identity_past.withColumnRenamed("journal_version", "written_in")
        .join(dates, on="as_of")
        .where("written_in <= journal_version")
        .select("identifier", "number", F.col("user_id").alias("past"))
    )
    moved = journal.select("identifier").unionByName(past.select("identifier")).distinct()
    current = F.coalesce("user_id", user_id_of(F.col("identifier")))
    rows = (
        moved.join(identity_map.select("identifier", "user_id"), on="identifier", how="left")
        .select("identifier", current.alias("current"))
        .crossJoin(dates)
    )
    # The first change after the build of a date tells the user before it.
    later = rows.join(journal, on="identifier").where("moved_in > journal_version")
    until = later.groupBy("identifier", "number").agg(F.min_by("from_user_id", "moved_in").alias("until"))
    resolved = rows.join(until, on=["identifier", "number"], how="left")
    resolved = resolved.join(past, on=["identifier", "number"], how="left")
    return resolved.select("identifier", "number", F.coalesce("past", "until", "current").alias("user_id"))


def _pair_lasting_users(
    known: DataFrame, before: DataFrame, identity_map: DataFrame, moved: DataFrame
) -> DataFrame:
    """Pairs of a user with itself, for users of both dates who kept an identifier.

    A user kept one where an identifier of theirs in the map did not move, or where no moved identifier belongs to them
    on the second date: then all of theirs stayed, even if the map has no row of them.
    """
    lasting = known.join(before, on=["user_id", "number"], how="left_semi")
    mine = identity_map.join(moved.select("user_id").distinct(), on="user_id", how="left_semi")
    unmoved = mine.join(moved.select("identifier").distinct(), on="identifier", how="left_anti")
    with_some = lasting.join(unmoved, on="user_id", how="left_semi")
    with_all = lasting.join(moved, on=["user_id", "number"], how="left_anti")
    return with_some.unionByName(with_all).select("number", F.col("user_id").alias("was"), "user_id")


def _count_partners(pairs: DataFrame) -> DataFrame:
    """Both users of each pair that differs, with n_before (users that came together) and n_after (users it became)."""
    counts = {
        "n_before": F.count("*").over(Window.partitionBy("number", "user_id")),
        "n_after": F.count("*").over(Window.partitionBy("number", "was")),
    }
    ends = F.explode(F.array("was", "user_id")).alias("user_id")
    return pairs.withColumns(counts).where("was <> user_id").select("number", ends, *counts)


def _change_column() -> Column:
    is_merged, is_split = F.max("n_before") > 1, F.max("n_after") > 1
    return (
        F.when(is_merged, F.lit(str(Regrouped.MERGED)))
        .when(is_split, F.lit(str(Regrouped.SPLIT)))
        .otherwise(F.lit(str(Regrouped.RENAMED)))
    )

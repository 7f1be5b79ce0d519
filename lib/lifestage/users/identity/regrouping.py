"""Users who are others than before only because identifiers were put together or parted: nobody came, nobody left."""

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows, materialize
from lifestage.users.resolution import UserStatus, user_id_of

KEY = ("user_id", "as_of")
JOURNAL = "identity_changes"
# A date, and the version of the journal that those who built its rows knew. Moves of later versions came after it;
# clocks would not do, since runs may be given any now.
Built = tuple[date, int]
# That of a date which is being built: everything that the journal tells went before.
BY_NOW = 2**63 - 1
Read = Callable[[str], DataFrame]


class Regrouped(StrEnum):
    """What became of a user between two dates that were built."""

    MERGED = "merged"
    SPLIT = "split"
    RENAMED = "renamed"


def journal_versions(runs: DataFrame) -> dict[date, int]:
    """The version of the journal as of each date's newest build, from the table of completed runs; bounded by the runs."""
    known = F.coalesce(F.try_element_at("table_versions", F.lit(JOURNAL)), F.lit(0))
    rows = runs.select(F.explode("as_of_dates").alias("as_of"), known.alias("version"))
    newest = rows.groupBy("as_of").agg(F.max("version").alias("version"))
    return {row["as_of"]: row["version"] for row in newest.collect()}


def map_when_built(read: Read, built: Built) -> DataFrame:
    """Rows of the map as they are, but each with the user of when the rows of a date were built."""
    now, past, changes = _tables(read)
    moved = _users_by_side(now, past, _since(changes, [built]), _sides(now.sparkSession, [built]))
    then = materialize(moved.select("identifier", F.col("user_id").alias("then")))
    rows = now.join(then, on="identifier", how="full").withColumns(
        {
            "user_id": F.coalesce("then", "user_id"),
            # Whom no evidence names any more.
            "status": F.coalesce("status", F.lit(str(UserStatus.ACTIVE))),
            "withheld": F.coalesce("withheld", F.array().cast("array<string>")),
        }
    )
    return rows.select(*now.columns)


def regrouped(read: Read, built: Sequence[Built], users: DataFrame) -> DataFrame:
    """Users who are put together or apart between each of some times and the next.

    Args:
        read: gives the rows of the tables of identity.
        built: dates with versions of the journal, in the order in which they are held against each other; a date may be
            there twice.
        users: who was a user then, with user_id, as_of and journal_version. Identifiers of nobody who was one move no
            user: who comes with a cookie and a number on one day is new, and merged with nobody.

    Returns:
        user_id, as_of (the second of the two dates) and change: merged (with another user), split (into several), or
        renamed (known by another identifier). A user whom several apply to is merged, then split.
    """
    now, past, changes = _tables(read)
    sides = _sides(users.sparkSession, built)
    # Those who moved; few beside the map, and looked at from both sides.
    moved = materialize(_users_by_side(now, past, _since(changes, built), sides))
    known = materialize(_known(users.join(sides, on=["as_of", "journal_version"]), moved))
    before = known.select("user_id", (F.col("side") + 1).alias("side"))
    stayed = known.join(before, on=["user_id", "side"], how="left_semi")
    order = Window.partitionBy("identifier").orderBy("side")
    pairs = (
        moved.withColumn("was", F.lag("user_id").over(order))
        .join(before.withColumnRenamed("user_id", "was"), on=["was", "side"], how="left_semi")
        .join(known, on=["user_id", "side"], how="left_semi")
        .select("side", "was", "user_id")
        .unionByName(_with_themselves(stayed, now, moved))
        .distinct()
    )
    return _changed(pairs).join(sides, on="side").groupBy(*KEY).agg(_change().alias("change"))


def users_of_dates(rows: DataFrame, built: Sequence[Built]) -> DataFrame:
    """user_id, as_of and journal_version of rows by user and date; each date is built once."""
    sides = _sides(rows.sparkSession, built).drop("side")
    return rows.select(*KEY).join(sides, on="as_of")


def users_of_one(rows: DataFrame, built: Built) -> DataFrame:
    """user_id, as_of and journal_version of the users of one date."""
    day, version = built
    return rows.select(
        "user_id", F.lit(day).alias("as_of"), F.lit(version).cast("bigint").alias("journal_version")
    )


def _tables(read: Read) -> tuple[DataFrame, DataFrame, DataFrame]:
    return read("identity_map"), read("identity_past"), read(JOURNAL)


def _since(changes: DataFrame, built: Sequence[Built]) -> DataFrame:
    first = min((version for _, version in built), default=0)
    return changes.where(F.col("journal_version") > F.lit(first))


def _sides(spark: SparkSession, built: Sequence[Built]) -> DataFrame:
    """The dates, numbered."""
    rows = [(side, *each) for side, each in enumerate(built)]
    return F.broadcast(local_rows(spark, rows, "side int, as_of date, journal_version bigint"))


def _users_by_side(
    identity_map: DataFrame, identity_past: DataFrame, changes: DataFrame, sides: DataFrame
) -> DataFrame:
    """The user on each side of every identifier that has more than one."""
    journal = changes.select("identifier", F.col("journal_version").alias("moved_in"), "from_user_id")
    # A date that was built again has rows of its newest build alone: they say nothing of an earlier one.
    past = (
        identity_past.withColumnRenamed("journal_version", "written_in")
        .join(sides, on="as_of")
        .where("written_in <= journal_version")
        .select("identifier", "side", F.col("user_id").alias("then"))
    )
    moved = journal.select("identifier").unionByName(past.select("identifier")).distinct()
    now = F.coalesce("user_id", user_id_of(F.col("identifier")))
    placed = (
        moved.join(identity_map.select("identifier", "user_id"), on="identifier", how="left")
        .select("identifier", now.alias("now"))
        .crossJoin(sides)
    )
    # Rows of a date say who was who when they were built: the first move after that tells who it was before.
    later = placed.join(journal, on="identifier").where("moved_in > journal_version")
    until = later.groupBy("identifier", "side").agg(F.min_by("from_user_id", "moved_in").alias("until"))
    found = placed.join(until, on=["identifier", "side"], how="left")
    found = found.join(past, on=["identifier", "side"], how="left")
    return found.select("identifier", "side", F.coalesce("then", "until", "now").alias("user_id"))


def _known(users: DataFrame, moved: DataFrame) -> DataFrame:
    """On which side somebody of those who moved was a user."""
    mine = moved.select("user_id").distinct()
    return users.join(mine, on="user_id", how="left_semi").select("user_id", "side")


def _with_themselves(stayed: DataFrame, identity_map: DataFrame, moved: DataFrame) -> DataFrame:
    """Pairs of users of both sides with themselves, where something of theirs stayed.

    That is an identifier that did not move; or all of it, be it in no row of the map, where nobody that moved belongs to
    them any more.
    """
    mine = identity_map.join(moved.select("user_id").distinct(), on="user_id", how="left_semi")
    unmoved = mine.join(moved.select("identifier").distinct(), on="identifier", how="left_anti")
    with_some = stayed.join(unmoved, on="user_id", how="left_semi")
    with_all = stayed.join(moved, on=["user_id", "side"], how="left_anti")
    return with_some.unionByName(with_all).select("side", F.col("user_id").alias("was"), "user_id")


def _changed(pairs: DataFrame) -> DataFrame:
    """Both ends of the pairs that differ, with how many users came together in the one and how many the other became."""
    counts = {
        "n_was": F.count("*").over(Window.partitionBy("side", "user_id")),
        "n_user_id": F.count("*").over(Window.partitionBy("side", "was")),
    }
    ends = F.explode(F.array("was", "user_id")).alias("user_id")
    return pairs.withColumns(counts).where("was <> user_id").select("side", ends, *counts)


def _change() -> Column:
    merged, split = F.max("n_was") > 1, F.max("n_user_id") > 1
    return (
        F.when(merged, F.lit(str(Regrouped.MERGED)))
        .when(split, F.lit(str(Regrouped.SPLIT)))
        .otherwise(F.lit(str(Regrouped.RENAMED)))
    )

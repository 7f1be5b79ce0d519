"""Users who are others than before only because identifiers were put together or parted: nobody came, nobody left."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from lifestage.core.local_rows import local_rows, settled
from lifestage.tables.identity import user_id_of

KEY = ("user_id", "as_of")
# A date, and the now of the run that built its rows.
Built = tuple[date, datetime]


class Regrouped(StrEnum):
    """What became of a user between two dates that were built."""

    MERGED = "merged"
    SPLIT = "split"
    RENAMED = "renamed"


def built_at(runs: DataFrame) -> dict[date, datetime]:
    """When each date was built last, from the table of completed runs; bounded by the runs."""
    rows = (
        runs.select(F.explode("as_of_dates").alias("as_of"), "now")
        .groupBy("as_of")
        .agg(F.max("now").alias("at"))
    )
    return {row["as_of"]: row["at"] for row in rows.collect()}


def regrouped(read: Callable[[str], DataFrame], built: Sequence[Built], users: DataFrame) -> DataFrame:
    """Users who are put together or apart between two times that follow each other.

    Args:
        read: gives the rows of the tables of identity.
        built: dates, each with the run's now that built its rows; a date may be there twice.
        users: who was a user then, with user_id, as_of and built_at. Identifiers of nobody who was one move no user:
            who comes with a cookie and a number on one day is new, and merged with nobody.

    Returns:
        user_id, as_of (the later of the two dates) and change: merged (with another user), split (into several), or
        renamed (known by another identifier). A user whom several apply to is merged, then split.
    """
    sides = _sides(users.sparkSession, built)
    identity_map, past, changes = (
        read(name) for name in ("identity_map", "identity_past", "identity_changes")
    )
    # Those who moved; few beside the map, and looked at from both sides.
    since = F.col("moved_at") > F.lit(min(at for _, at in _in_order(built)))
    moved = settled(_users_by_side(identity_map, past, changes.where(since), sides))
    order = Window.partitionBy("identifier").orderBy("side")
    pairs = moved.withColumn("was", F.lag("user_id").over(order)).where("was IS NOT NULL")
    known = settled(_known(users.join(sides, on=["as_of", "built_at"]), moved))
    before = known.select(F.col("user_id").alias("was"), (F.col("side") + 1).alias("side"))
    pairs = pairs.join(before, on=["was", "side"], how="left_semi")
    pairs = pairs.join(known, on=["user_id", "side"], how="left_semi")
    then = before.withColumnRenamed("was", "user_id")
    unmoved, left = _unmoved(identity_map, moved), _left(then, known, moved)
    sources = _counted(pairs, "user_id", "was", unmoved.join(then, on="user_id").unionByName(left))
    targets = _counted(pairs, "was", "user_id", unmoved.join(known, on="user_id").unionByName(left))
    placed = pairs.join(sources, on=["side", "user_id"]).join(targets, on=["side", "was"])
    ends = placed.where("was <> user_id").select(
        "as_of", F.explode(F.array("was", "user_id")).alias("user_id"), "n_was", "n_user_id"
    )
    return ends.groupBy(*KEY).agg(_change().alias("change"))


def users_of_dates(rows: DataFrame, built: Sequence[Built]) -> DataFrame:
    """user_id, as_of and built_at of rows by user and date; each date is built once."""
    sides = _sides(rows.sparkSession, built).drop("side")
    return rows.select(*KEY).join(sides, on="as_of")


def users_of_one(rows: DataFrame, built: Built) -> DataFrame:
    """user_id, as_of and built_at of the users of one date."""
    [(day, at)] = _in_order([built])
    return rows.select("user_id", F.lit(day).alias("as_of"), F.lit(at).cast("timestamp").alias("built_at"))


def _sides(spark: SparkSession, built: Sequence[Built]) -> DataFrame:
    """The dates in order, numbered."""
    rows = [(side, day, at) for side, (day, at) in enumerate(_in_order(built))]
    return F.broadcast(local_rows(spark, rows, "side int, as_of date, built_at timestamp"))


def _in_order(built: Sequence[Built]) -> list[Built]:
    """By date, then instant. Rows of the driver give instants without a zone, in that of this computer."""
    return sorted((day, at.astimezone(UTC)) for day, at in built)


def _users_by_side(
    identity_map: DataFrame, identity_past: DataFrame, changes: DataFrame, sides: DataFrame
) -> DataFrame:
    """The user on each side of every identifier that has more than one."""
    journal = changes.select("identifier", "moved_at", "from_user_id")
    # A date that was built again has rows of its newest build alone.
    past = identity_past.join(sides.select("as_of", "built_at", "side"), on=["as_of", "built_at"])
    moved = journal.select("identifier").unionByName(past.select("identifier")).distinct()
    now = F.coalesce("user_id", user_id_of(F.col("identifier")))
    placed = (
        moved.join(identity_map.select("identifier", "user_id"), on="identifier", how="left")
        .select("identifier", now.alias("now"))
        .crossJoin(sides)
    )
    # Rows of a date say who was who when they were built: the first move after that tells who it was before.
    later = placed.join(journal, on="identifier").where("moved_at > built_at")
    until = later.groupBy("identifier", "side").agg(F.min_by("from_user_id", "moved_at").alias("until"))
    then = past.select("identifier", "side", F.col("user_id").alias("then"))
    found = placed.join(until, on=["identifier", "side"], how="left")
    found = found.join(then, on=["identifier", "side"], how="left")
    return found.select("identifier", "side", "as_of", F.coalesce("then", "until", "now").alias("user_id"))


def _known(users: DataFrame, moved: DataFrame) -> DataFrame:
    """On which side somebody of those who moved was a user."""
    mine = moved.select("user_id").distinct()
    return users.join(mine, on="user_id", how="left_semi").select("user_id", "side")


def _unmoved(identity_map: DataFrame, moved: DataFrame) -> DataFrame:
    """Users of those that moved who have an identifier that did not: it is theirs on every side."""
    mine = identity_map.join(moved.select("user_id").distinct(), on="user_id", how="left_semi")
    others = mine.join(moved.select("identifier").distinct(), on="identifier", how="left_anti")
    return others.select("user_id").distinct()


def _left(then: DataFrame, known: DataFrame, moved: DataFrame) -> DataFrame:
    """Users of both sides whom nobody that moved belongs to any more: what is theirs stayed, be it in no row of the map."""
    stayed = known.join(then, on=["user_id", "side"], how="left_semi")
    return stayed.join(moved.select("user_id", "side"), on=["user_id", "side"], how="left_anti")


def _counted(pairs: DataFrame, user: str, other: str, unmoved: DataFrame) -> DataFrame:
    """Per side and user, how many users its identifiers are of on the other side; an unmoved one is of the same user."""
    stays = unmoved.select("side", F.col("user_id").alias(user), F.lit(1).alias("_stays")).distinct()
    counted = pairs.groupBy("side", user).agg(
        F.count_distinct(other).alias("_n"), F.max(F.col(user) == F.col(other)).alias("_itself")
    )
    more = F.when(F.col("_itself"), F.lit(0)).otherwise(F.coalesce("_stays", F.lit(0)))
    found = counted.join(stays, on=["side", user], how="left")
    return found.select("side", user, (F.col("_n") + more).alias(f"n_{other}"))


def _change() -> Column:
    merged, split = F.max("n_was") > 1, F.max("n_user_id") > 1
    return (
        F.when(merged, F.lit(str(Regrouped.MERGED)))
        .when(split, F.lit(str(Regrouped.SPLIT)))
        .otherwise(F.lit(str(Regrouped.RENAMED)))
    )

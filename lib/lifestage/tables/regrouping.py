"""Users who are others than before only because identifiers were put together or parted: nobody came, nobody left."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.core.local_rows import local_rows, settled
from lifestage.tables.identity import user_id_of

KEY = ("user_id", "as_of")


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


def regrouped(read: Callable[[str], DataFrame], built: Mapping[date, datetime]) -> DataFrame:
    """Users of either of two dates that follow each other who are put together or apart between them.

    Args:
        read: gives the rows of the tables of identity.
        built: the dates, each with the run's now that built its rows.

    Returns:
        user_id, as_of (the later of the two dates) and change: merged (with another user), split (into several), or
        renamed (the same identifiers, known by an older one). A user whom several apply to is merged, then split.
    """
    # Rows of the driver give instants without a zone, in that of this computer.
    built = {day: at.astimezone(UTC) for day, at in built.items()}
    identity_map, past, changes = (read(f"identity_{name}") for name in ("map", "past", "changes"))
    # Those who moved; few beside the map, and looked at from both sides.
    users = settled(_users_by_date(identity_map, past, changes, built))
    order = Window.partitionBy("identifier").orderBy("as_of")
    pairs = users.withColumn("was", F.lag("user_id").over(order)).where("was IS NOT NULL")
    moved = users.select("identifier").distinct()
    anchors = identity_map.join(moved, on="identifier", how="left_anti").select("user_id").distinct()
    sources = _counted(pairs, "user_id", "was", anchors)
    targets = _counted(pairs, "was", "user_id", anchors)
    placed = pairs.join(sources, on=["as_of", "user_id"]).join(targets, on=["as_of", "was"])
    ends = placed.where("was <> user_id").select(
        "as_of", F.explode(F.array("was", "user_id")).alias("user_id"), "n_was", "n_user_id"
    )
    return ends.groupBy(*KEY).agg(_change().alias("change"))


def _users_by_date(
    identity_map: DataFrame, identity_past: DataFrame, changes: DataFrame, built: Mapping[date, datetime]
) -> DataFrame:
    """The user on each date of every identifier that has more than one."""
    dates = local_rows(identity_map.sparkSession, sorted(built.items()), "as_of date, built_at timestamp")
    since = F.col("moved_at") > F.lit(min(built.values()))
    journal = changes.where(since).select("identifier", "moved_at", "from_user_id")
    past = identity_past.where(F.col("as_of").isin(*built))
    moved = journal.select("identifier").unionByName(past.select("identifier")).distinct()
    now = F.coalesce("user_id", user_id_of(F.col("identifier")))
    placed = (
        moved.join(identity_map.select("identifier", "user_id"), on="identifier", how="left")
        .select("identifier", now.alias("now"))
        .crossJoin(F.broadcast(dates))
    )
    # Rows of a date say who was who when they were built: the first move after that tells who it was before.
    later = placed.join(journal, on="identifier").where("moved_at > built_at")
    until = later.groupBy("identifier", "as_of").agg(F.min_by("from_user_id", "moved_at").alias("until"))
    then = past.select("identifier", "as_of", F.col("user_id").alias("then"))
    key = ["identifier", "as_of"]
    found = placed.join(until, on=key, how="left").join(then, on=key, how="left")
    return found.select(*key, F.coalesce("then", "until", "now").alias("user_id"))


def _counted(pairs: DataFrame, user: str, other: str, anchors: DataFrame) -> DataFrame:
    """Per date and user of one side, how many users of the other side its identifiers are of."""
    is_anchored = anchors.select(F.col("user_id").alias(user), F.lit(1).alias("_anchor"))
    counted = pairs.groupBy("as_of", user).agg(
        F.count_distinct(other).alias("_n"), F.max(F.col(user) == F.col(other)).alias("_itself")
    )
    # Identifiers that never moved are of the user on both sides.
    more = F.when(F.col("_itself"), F.lit(0)).otherwise(F.coalesce("_anchor", F.lit(0)))
    with_anchors = counted.join(is_anchored, on=user, how="left")
    return with_anchors.select("as_of", user, (F.col("_n") + more).alias(f"n_{other}"))


def _change() -> Column:
    merged, split = F.max("n_was") > 1, F.max("n_user_id") > 1
    return (
        F.when(merged, F.lit(str(Regrouped.MERGED)))
        .when(split, F.lit(str(Regrouped.SPLIT)))
        .otherwise(F.lit(str(Regrouped.RENAMED)))
    )

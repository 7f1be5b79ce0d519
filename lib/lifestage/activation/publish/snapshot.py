"""What a snapshot holds, and what its content is told apart by."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.activation.publish.tables import SNAPSHOT_USERS
from lifestage.users.resolution import IS_PERSON

OF_VALUE = ("rfm_name", "r_score", "f_score", "m_score", "value_index", "tier", "monetary_amount")
CONTENT = tuple(name for name in SNAPSHOT_USERS.names if name != "snapshot_id")


def to_snapshot_users(
    features: DataFrame, stages: DataFrame, value: DataFrame, segments: DataFrame, audiences: DataFrame
) -> DataFrame:
    """One row per user who is not shared, with stage, value, segment and audiences.

    Inputs are unique per user_id and as_of, `audiences` per audience beside.
    """
    key = ["user_id", "as_of"]
    users = features.where(IS_PERSON).select(*key)
    staged = stages.select(
        *key, "stage", F.col("rule").alias("stage_rule"), F.col("matched").alias("stage_matched")
    )
    valued = value.select(*key, *OF_VALUE)
    segmented = segments.select(*key, "segment_id", "segment")
    chosen = audiences.groupBy(*key).agg(F.array_sort(F.collect_list("audience")).alias("audiences"))
    for part in (staged, valued, segmented, chosen):
        users = users.join(part, on=key, how="left")
    nothing = F.array().cast("array<string>")
    return users.withColumn("audiences", F.coalesce("audiences", nothing)).select(*CONTENT)


def describe(users: DataFrame) -> dict[str, Any]:
    """Row count, missing stages, users per stage, name, tier, segment and audience, and a digest of the rows.

    The digest adds two halves of each row's SHA-256 as whole numbers, so it does not depend on the rows' order.
    """
    content = F.sha2(F.to_json(F.struct(*CONTENT)), 256)
    halves = [F.conv(F.substring(content, start, 15), 16, 10).cast("decimal(38,0)") for start in (1, 16)]
    totals = users.agg(
        F.count("*").alias("n_users"),
        F.count_if(F.col("stage").isNull()).alias("n_without_stage"),
        F.count_distinct("user_id").alias("n_distinct"),
        *[F.sum(half).alias(f"half_{number}") for number, half in enumerate(halves)],
    ).first()
    assert totals is not None
    digest = f"{int(totals['half_0'] or 0):x}-{int(totals['half_1'] or 0):x}"
    return {**totals.asDict(), "digest": digest, "counts": _counts(users)}


def _counts(users: DataFrame) -> dict[str, int]:
    """Users per stage, RFM name, tier, segment and audience; bounded by their numbers."""
    kinds = {"stage": "stage", "rfm": "rfm_name", "tier": "tier", "segment": "segment"}
    pairs = [F.concat(F.lit(f"{kind}:"), F.coalesce(column, F.lit("-"))) for kind, column in kinds.items()]
    chosen = F.transform("audiences", lambda name: F.concat(F.lit("audience:"), name))
    names = F.explode(F.concat(F.array(*pairs), chosen)).alias("name")
    rows = users.select(names).groupBy("name").count().collect()
    return {row["name"]: row["count"] for row in sorted(rows, key=lambda row: row["name"])}


def next_revision(snapshots: DataFrame, as_of: date, digest: str) -> tuple[int, bool]:
    """The revision that content has or would have for a date, and whether it is published already."""
    of_date = snapshots.where(F.col("as_of") == F.lit(as_of)).select("revision", "digest").collect()
    newest = max(of_date, key=lambda row: row["revision"], default=None)
    if newest is None:
        return 1, False
    if newest["digest"] == digest:
        return newest["revision"], True
    return newest["revision"] + 1, False


def latest(snapshots: DataFrame) -> Mapping[str, Any] | None:
    """The manifest of the greatest as_of, then revision; None before the first publication."""
    row = snapshots.orderBy(F.col("as_of").desc(), F.col("revision").desc()).first()
    return row.asDict() if row else None

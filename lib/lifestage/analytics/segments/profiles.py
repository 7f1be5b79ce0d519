"""The size of each segment, and the features that profile it."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.storage.contracts import Table

KEY = ["user_id", "as_of"]
# Values are summed as decimals, so that the order of rows does not matter.
VALUE = "decimal(18,4)"


def build_totals(segments: DataFrame) -> DataFrame:
    """One row per as_of, status and segment of user_segments. Users without a segment count by status."""
    group = ("as_of", "status", "model_id", "segment_id", "segment")
    return segments.groupBy(*group).agg(F.count("*").alias("n_users"))


def build_profiles(segments: DataFrame, features: DataFrame, names: Sequence[str], table: Table) -> DataFrame:
    """One row per as_of, segment and feature: the number of known values, and their sum. Users without a segment do not count.

    Both inputs are unique per user_id and as_of. A value that is no number, or is beyond the range of VALUE, is unknown.
    """
    modelled = segments.where("segment_id IS NOT NULL").select(*KEY, "segment_id")
    values = [F.col(name).try_cast(VALUE).alias(f"_{place}") for place, name in enumerate(names)]
    users = modelled.join(features.select(*KEY, *values), on=KEY, how="left")
    sums = [
        F.struct(
            F.lit(name).alias("feature"),
            F.count(f"_{place}").alias("n_known"),
            F.coalesce(F.sum(f"_{place}"), F.lit(0)).cast("decimal(28,4)").alias("total"),
        )
        for place, name in enumerate(names)
    ]
    if not sums:
        return local_rows(features.sparkSession, [], table.schema)
    rows = users.groupBy("as_of", "segment_id").agg(F.array(*sums).alias("profile"))
    return rows.select("as_of", "segment_id", F.inline("profile"))

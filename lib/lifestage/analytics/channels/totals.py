"""Users and spend by channel mix and stage."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.storage.contracts import MONEY

MIX = "channel_mix_90d"
KEY = ["user_id", "as_of"]


def build_totals(features: DataFrame, stages: DataFrame, value: DataFrame) -> DataFrame:
    """One row per as_of, channel mix and stage. Users without an action have the mix NULL, which is a group of its own.

    Each input is unique per user_id and as_of. Every user with a stage counts; a NULL spend counts as 0.
    """
    mixes = features.select(*KEY, F.col(MIX).alias("channel_mix"))
    spend = value.select(*KEY, "monetary_amount", "rfm_period_days")
    users = stages.select(*KEY, "stage").join(mixes, on=KEY, how="inner").join(spend, on=KEY, how="left")
    return users.groupBy("as_of", "channel_mix", "stage").agg(
        F.count("*").alias("n_users"),
        F.coalesce(F.sum("monetary_amount"), F.lit(0)).cast(MONEY).alias("monetary_amount"),
        F.max("rfm_period_days").alias("period_days"),
    )

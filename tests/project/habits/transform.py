"""Divide users by how often they come."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.users.resolution import IS_PERSON


def to_habits(features: DataFrame, frequent_days: int) -> DataFrame:
    """One row per user and as_of: frequent from so many active days on, else rare."""
    is_frequent = F.coalesce(F.col("active_days_90d") >= frequent_days, F.lit(False))
    habit = F.when(is_frequent, F.lit("frequent")).otherwise(F.lit("rare"))
    return features.where(IS_PERSON).select("user_id", "as_of", habit.alias("habit"))

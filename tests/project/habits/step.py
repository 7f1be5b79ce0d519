"""The habit of every user at the run's dates."""

from lifestage.analytics.habits.config import HabitsConfig
from lifestage.analytics.habits.transform import to_habits
from pyspark.sql import functions as F

from lifestage.platform.job import Job


def run(job: Job, config: HabitsConfig) -> None:
    """Write user_habits for the run's dates."""
    features = job.read("user_features").where(F.col("as_of").isin(*job.run.as_of_dates))
    job.write_as_of("user_habits", to_habits(features, config.frequent_days))

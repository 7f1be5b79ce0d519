"""The value of every user at the run's dates."""

from pyspark.sql import functions as F

from lifestage.core.job import Job
from lifestage.value.config import ValueConfig
from lifestage.value.rfm import add_scores, cut_points, to_rfm


def run(job: Job, config: ValueConfig) -> None:
    """Read features, store the cut points, score by them, write."""
    features = job.read("user_features").where(F.col("as_of").isin(*job.run.as_of_dates))
    rfm = to_rfm(features, config.rfm)
    job.write_as_of("rfm_cuts", cut_points(rfm, config.rfm))
    cuts = job.read("rfm_cuts").where(F.col("as_of").isin(*job.run.as_of_dates))
    scored = add_scores(rfm, cuts, config.rfm, config.history_starts_on)
    job.write_as_of("user_value", scored.select(*job.table("user_value").names))

"""The stage of every user at the run's dates."""

from pyspark.sql import functions as F

from lifestage.core.job import Job
from lifestage.stages.config import StageLadder
from lifestage.stages.ladder import assign_stages


def run(job: Job, config: StageLadder) -> None:
    """Read features, assign stages, write."""
    features = job.read("user_features").where(F.col("as_of").isin(*job.run.as_of_dates))
    job.write_as_of("user_stages", assign_stages(features, config))

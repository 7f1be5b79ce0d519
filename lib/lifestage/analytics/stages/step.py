"""Assign every user a stage on each date of the run."""

from functools import partial

from pyspark.sql import functions as F

from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.stages.ladder import assign_stages, to_stage_totals
from lifestage.platform.job import Job
from lifestage.platform.runtime.parallel import run_in_parallel


def run(job: Job, config: StageLadder) -> None:
    """Write user_stages and stage_totals for the run's dates."""
    features = job.read("user_features").where(F.col("as_of").isin(*job.run.as_of_dates))
    written = {
        "user_stages": assign_stages(features, config),
        "stage_totals": to_stage_totals(features, config),
    }
    run_in_parallel([partial(job.write_as_of, name, frame) for name, frame in written.items()])

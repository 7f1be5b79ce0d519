"""The value of every user at the run's dates."""

from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.value.config import ValueConfig
from lifestage.analytics.value.index import add_index, component_scales, components
from lifestage.analytics.value.rfm import add_scores, cut_points, to_rfm
from lifestage.analytics.value.tiers import add_tier, tier_cuts
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.runtime.parallel import run_in_parallel


def run(job: Job, config: ValueConfig) -> None:
    """Read features; cut points and scores, scales and index, cut points and tiers; write."""
    features = job.read("user_features").where(F.col("as_of").isin(*job.run.as_of_dates))
    # One narrow row a user, read once for each of the three kinds of cut points and for the users.
    rfm = to_rfm(features, config.rfm, components(config.index)).persist()
    try:
        _write(job, config, rfm)
    finally:
        rfm.unpersist()


def _write(job: Job, config: ValueConfig, rfm: DataFrame) -> None:
    cuts = _fixed(job, "rfm_cuts", cut_points(rfm, config.rfm))
    scored = add_scores(rfm, cuts, config.rfm, config.history_starts_on)
    scales = _fixed(
        job, "value_scales", component_scales(scored.where("rfm_status = 'scored'"), config.index)
    )
    valued = add_index(scored, scales, config.index)
    tiers = _fixed(job, "tier_cuts", tier_cuts(valued, config.tiers))
    users = add_tier(valued, tiers).select(*job.table("user_value").names)
    written = {"rfm_cuts": cuts, "value_scales": scales, "tier_cuts": tiers, "user_value": users}
    run_in_parallel([partial(job.write_as_of, name, frame) for name, frame in written.items()])


def _fixed(job: Job, name: str, frame: DataFrame) -> DataFrame:
    """The few rows of a table of cut points, computed once for all that follows."""
    table = job.table(name)
    return local_rows(job.spark, frame.select(*table.names).collect(), table.schema)

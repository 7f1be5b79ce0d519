"""Score the value of every user on each date of the run."""

from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.value.config import ValueConfig
from lifestage.analytics.value.index import add_index, components_column, to_value_scales
from lifestage.analytics.value.rfm import add_scores, to_rfm, to_rfm_cuts
from lifestage.analytics.value.tiers import add_tier, to_tier_cuts
from lifestage.analytics.value.totals import build_spend_shares, build_totals
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.runtime.parallel import run_in_parallel


def run(job: Job, config: ValueConfig) -> None:
    """Write the cut points, scales, users and totals of the run's dates."""
    features = job.read("user_features").where(F.col("as_of").isin(*job.run.as_of_dates))
    # Persisted because it is read six times: for each kind of cut point, for the users, and for their totals. One narrow row per user.
    rfm = to_rfm(features, config.rfm, components_column(config.index)).persist()
    try:
        cuts = _collect_cuts(job, "rfm_cuts", to_rfm_cuts(rfm, config.rfm))
        scored = add_scores(rfm, cuts, config.rfm, config.history_starts_on)
        scales = to_value_scales(scored.where("rfm_status = 'scored'"), config.index)
        scales = _collect_cuts(job, "value_scales", scales)
        valued = add_index(scored, scales, config.index)
        tiers = _collect_cuts(job, "tier_cuts", to_tier_cuts(valued, config.tiers))
        users = add_tier(valued, tiers).select(*job.table("user_value").names)
        written = {
            "rfm_cuts": cuts,
            "value_scales": scales,
            "tier_cuts": tiers,
            "user_value": users,
            "value_totals": build_totals(users),
            "spend_shares": build_spend_shares(users),
        }
        run_in_parallel([partial(job.write_as_of, name, frame) for name, frame in written.items()])
    finally:
        rfm.unpersist()


def _collect_cuts(job: Job, name: str, frame: DataFrame) -> DataFrame:
    """Compute a table of cut points (at most a few dozen rows for each date) once, for everything that follows."""
    table = job.table(name)
    return local_rows(job.spark, frame.select(*table.names).collect(), table.schema)

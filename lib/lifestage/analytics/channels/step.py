"""Users by channel mix, and reach, at the run's dates."""

from functools import partial, reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.channels.config import ChannelsConfig
from lifestage.analytics.channels.reach import measure_reach, resolve_users
from lifestage.analytics.channels.tables import CHANNEL_REACH, CHANNEL_TOTALS
from lifestage.analytics.channels.totals import MIX, build_totals
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.runtime.parallel import run_in_parallel


def run(job: Job, config: ChannelsConfig) -> None:
    """Add up users and spend by channel mix and stage; measure reach; write both."""
    run_in_parallel([partial(_write_totals, job), partial(_write_reach, job, config)])


def _write_totals(job: Job) -> None:
    """No rows where the catalogue has no channel mix."""
    totals = local_rows(job.spark, [], CHANNEL_TOTALS.schema)
    if MIX in job.table("user_features").names:
        is_due = F.col("as_of").isin(*job.run.as_of_dates)
        inputs = [job.read(name).where(is_due) for name in ("user_features", "user_stages", "user_value")]
        totals = build_totals(*inputs)
    job.write_as_of("channel_totals", totals)


def _write_reach(job: Job, config: ChannelsConfig) -> None:
    """No rows where no identifiers are joined."""
    events, now, past = (job.read(name) for name in ("events", "identity_map", "identity_past"))
    rows = [local_rows(job.spark, [], CHANNEL_REACH.schema)]
    if not now.isEmpty():
        rows += [
            measure_reach(events, resolve_users(now, past, day), config.known, config.actions, day)
            for day in job.run.as_of_dates
        ]
    job.write_as_of("channel_reach", reduce(DataFrame.unionByName, rows))

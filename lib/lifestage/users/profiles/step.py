"""Build the user profiles of the run's dates from customer records."""

from pyspark.sql import functions as F

from lifestage.ingestion.sources.ledger import LEDGER
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import local_rows
from lifestage.users.profiles.config import ProfilesConfig
from lifestage.users.profiles.profiles import to_profiles
from lifestage.users.resolution import resolve_users


def run(job: Job, config: ProfilesConfig) -> None:
    """Write user_profiles of the run's dates. Without declared attributes there is nothing to do."""
    if not config.attributes:
        return
    dates = job.run.as_of_dates
    users = resolve_users(job.read("identity_map"), job.read("identity_past"), dates)
    read_at = job.read(LEDGER).select("delivery_no", F.col("ingested_at").alias("known_at"))
    versions = {
        name: job.read(name).join(F.broadcast(read_at), on="delivery_no", how="left")
        for name in config.tables
    }
    days = local_rows(job.spark, [(day,) for day in dates], "as_of date")
    job.write_as_of("user_profiles", to_profiles(versions, users, days, config))

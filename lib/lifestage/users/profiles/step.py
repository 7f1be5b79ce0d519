"""Customer records to profiles of the run's dates."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.ledger import LEDGER
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import local_rows
from lifestage.users.profiles.config import ProfilesConfig
from lifestage.users.profiles.profiles import to_profiles
from lifestage.users.resolution import users_on


def run(job: Job, config: ProfilesConfig) -> None:
    """Write what is known of each user on the run's dates; nothing where no attribute is declared."""
    if not config.attributes:
        return
    dates = job.run.as_of_dates
    users = users_on(job.read("identity_map"), job.read("identity_past"), dates)
    read_at = job.read(LEDGER).select("delivery_no", F.col("ingested_at").alias("known_at"))
    versions = {name: _known(job.read(name), read_at) for name in config.tables}
    days = local_rows(job.spark, [(day,) for day in dates], "as_of date")
    job.write_as_of("user_profiles", to_profiles(versions, users, days, config))


def _known(versions: DataFrame, read_at: DataFrame) -> DataFrame:
    return versions.join(F.broadcast(read_at), on="delivery_no", how="left")

"""Who is who. Until identifiers are joined by evidence, each subject is a user of its own."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.core.job import Job
from lifestage.core.models import Model
from lifestage.tables.identity import UserStatus


class IdentityConfig(Model):
    """Nothing to decide while each subject is its own user."""


def run(job: Job, config: IdentityConfig) -> None:  # noqa: ARG001 - every step is called alike
    """Write the map of every subject; which of them a date sees, the activity up to it decides."""
    job.write("identity_map", map_identities(job.read("activity_days")))


def map_identities(activity_days: DataFrame) -> DataFrame:
    """One row per identifier: its user, whose id is a hash of the identifier alone, and so the same in any rebuild."""
    subjects = activity_days.select(F.col("subject").alias("identifier")).distinct()
    user_id = F.substring(F.sha2(F.concat(F.lit("user:"), F.col("identifier")), 256), 1, 32)
    return subjects.select("identifier", user_id.alias("user_id"), F.lit(UserStatus.ACTIVE).alias("status"))

"""Suspicions: identifiers that many others are linked to, and users with unusually many identifiers."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.identity.tables import IDENTITY_SUSPICIONS, Suspicion
from lifestage.users.resolution import UserStatus

# A person has up to this many of anything: a smaller number is never unusual.
USUAL = 3
# A value with this many times its limit of linked identifiers, and at least this many, may be a placeholder.
PLACEHOLDER_FACTOR, PLACEHOLDER_LEAST = 4, 20
# A user with more identifiers than this is unusual: a person with a year of cookies has fewer.
LARGE = 100
ANY = "any"


def find_suspicions(identities: DataFrame, config: IdentityConfig) -> DataFrame:
    """Rows of identity_suspicions.

    An identifier is unusual if it is linked to more than half of its limit, and to more than three, of a type. A user is
    unusual with more than 100 identifiers, or with more than three of a known type. The thresholds are fixed, not
    relative to other users, so that a row changes only with its own user.

    Args:
        identities: rows of identity_map with degrees, all identifiers of their users (see solve_identities).
        config: limits and known types.
    """
    return _find_linked_to_many(identities, config).unionByName(_find_large_users(identities, config))


def _find_linked_to_many(identities: DataFrame, config: IdentityConfig) -> DataFrame:
    limits = [
        (kind, other, most, max(USUAL, most // 2))
        for kind, others in sorted(config.limits.items())
        for other, most in sorted(others.items())
    ]
    schema = "type string, counted string, most bigint, usual bigint"
    usual = F.broadcast(local_rows(identities.sparkSession, limits, schema))
    degrees = identities.select("user_id", "identifier", "type", F.explode("degrees").alias("counted", "n"))
    is_placeholder = (F.col("n") > PLACEHOLDER_FACTOR * F.col("most")) & (F.col("n") > PLACEHOLDER_LEAST)
    kind = (
        F.when(is_placeholder, F.lit(str(Suspicion.PLACEHOLDER)))
        .when(F.col("n") > F.col("most"), F.lit(str(Suspicion.SHARED)))
        .otherwise(F.lit(str(Suspicion.MANY)))
    )
    unusual = degrees.join(usual, on=["type", "counted"], how="inner").where("n > usual")
    return unusual.withColumn("kind", kind).select(*IDENTITY_SUSPICIONS.names)


def _find_large_users(identities: DataFrame, config: IdentityConfig) -> DataFrame:
    active = identities.where(F.col("status") == str(UserStatus.ACTIVE))
    counts = active.groupBy("user_id").agg(
        F.count("*").alias(ANY), *[F.count_if(F.col("type") == kind).alias(kind) for kind in config.known]
    )
    counted = {ANY: (Suspicion.LARGE, LARGE), **dict.fromkeys(config.known, (Suspicion.SEVERAL, USUAL))}
    found = [
        F.when(
            F.col(name) > usual,
            F.struct(
                F.lit(str(kind)).alias("kind"),
                F.col("user_id").alias("identifier"),
                F.lit(None).cast("string").alias("type"),
                F.lit(name).alias("counted"),
                F.col(name).alias("n"),
                F.lit(None).cast("bigint").alias("most"),
            ),
        )
        for name, (kind, usual) in counted.items()
    ]
    large = counts.select("user_id", F.explode(F.array_compact(F.array(*found))).alias("found"))
    return large.select("user_id", "found.*").select(*IDENTITY_SUSPICIONS.names)


def diff_suspicions(before: DataFrame, after: DataFrame) -> tuple[DataFrame, DataFrame]:
    """The users whose rows change, and all rows that these users have now.

    Args:
        before: the rows of some users before a run.
        after: the rows of the same users now.
    """
    gone, new = before.exceptAll(after), after.exceptAll(before)
    changed = gone.select("user_id").unionByName(new.select("user_id")).distinct()
    return changed, after.join(changed, on="user_id", how="left_semi").select(*after.columns)

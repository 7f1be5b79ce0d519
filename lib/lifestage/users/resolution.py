"""Which user each subject belongs to, on each of the dates that are built."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from pyspark.sql import Column as SqlColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.storage.contracts import Column

OF_USER = ("identifier", "user_id", "status")


def users_on(identity_map: DataFrame, identity_past: DataFrame, as_of_dates: Sequence[date]) -> DataFrame:
    """Rows of who is who, most of them once for all dates.

    Args:
        identity_map: the user of an identifier as of the newest date; whom it does not name is a user of its own.
        identity_past: where the dates before it differ.
        as_of_dates: the dates that are built.

    Returns:
        identifier, user_id, status and only_on, the one date for which the row holds; NULL for all. Persons of whom
        any date differs have rows of their own for each date, so that their days merge by date.
    """
    past = identity_past.where(F.col("as_of").isin(*as_of_dates))
    now = identity_map.select(*OF_USER)
    if past.isEmpty():
        return on_every_date(now)
    changed = now.join(past.select("identifier"), on="identifier", how="left_semi").select("user_id")
    users = changed.unionByName(past.select("user_id")).distinct()
    moved = now.join(users, on="user_id", how="left_semi").select(*OF_USER)
    stable = on_every_date(now.join(users, on="user_id", how="left_anti"))
    dates = F.broadcast(local_rows(now.sparkSession, [(day,) for day in as_of_dates], "only_on date"))
    then = past.select(*OF_USER, F.col("as_of").alias("only_on"))
    as_now = moved.crossJoin(dates).join(then, on=["identifier", "only_on"], how="left_anti")
    return stable.unionByName(as_now.select(*OF_USER, "only_on")).unionByName(then)


def on_every_date(identity_map: DataFrame) -> DataFrame:
    """Rows of who is who that hold whatever the date."""
    return identity_map.select(*OF_USER, F.lit(None).cast("date").alias("only_on"))


def with_users(rows: DataFrame, users: DataFrame) -> DataFrame:
    """Rows of subjects with user_id, status and only_on; whoever `users` does not name is a user of its own."""
    known = users.withColumnRenamed("identifier", "subject")
    return rows.join(known, on="subject", how="left").withColumns(
        {
            "user_id": F.coalesce("user_id", user_id_of(F.col("subject"))),
            "status": F.coalesce("status", F.lit(str(UserStatus.ACTIVE))),
        }
    )


def is_seen_on(day: str = "event_date") -> SqlColumn:
    """Whether a day of a user counts on an as_of: it is not after it, and the user is who they are on it."""
    return (F.col(day) <= F.col("as_of")) & is_of_date()


def is_of_date() -> SqlColumn:
    """Whether a row of who is who holds on an as_of."""
    return F.col("only_on").isNull() | (F.col("only_on") == F.col("as_of"))


class UserStatus(StrEnum):
    """Whether a user is a person; a shared identifier is withheld: in totals, not in stages, value or segments."""

    ACTIVE = "active"
    SHARED = "shared"


IS_PERSON = f"status <> '{UserStatus.SHARED}'"


def user_id_of(key_identifier: SqlColumn) -> SqlColumn:
    """The user known by an identifier; whoever is in no row of identity_map is known by the only one they have."""
    return F.substring(F.sha2(F.concat(F.lit("user:"), key_identifier), 256), 1, 32)


USER = Column("user_id", T.StringType(), "User", required=True)

AS_OF = Column("as_of", T.DateType(), "Business date the row describes", required=True)

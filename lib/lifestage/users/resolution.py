"""Resolve subjects to users, as of each date of a run."""

import hashlib
from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from pyspark.sql import Column as SqlColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.storage.contracts import Column
from lifestage.platform.storage.filters import HashIs


class UserStatus(StrEnum):
    """Status of a user.

    A shared user is a withheld identifier: it counts in totals, but not in stages, value or segments.
    """

    ACTIVE = "active"
    SHARED = "shared"


USER_PREFIX, USER_ID_HEX = "user:", 32
IS_PERSON = f"status <> '{UserStatus.SHARED}'"
IDENTITY_COLUMNS = ("identifier", "user_id", "status")
USER = Column("user_id", T.StringType(), "User", required=True)
AS_OF = Column("as_of", T.DateType(), "Business date the row describes", required=True)


def resolve_users(
    identity_map: DataFrame, identity_past: DataFrame, as_of_dates: Sequence[date]
) -> DataFrame:
    """The user of each identifier as of each date; a user who is the same on all dates has one row per identifier.

    Args:
        identity_map: the user of each identifier as of the newest date.
        identity_past: the rows that differ on earlier dates.
        as_of_dates: dates to resolve.

    Returns:
        identifier, user_id, status and only_on: the one date on which the row is valid, NULL for all dates. A user who
        differs on any date has rows for each date, so that the days of the user merge by date. An identifier without a
        row is a user of its own.
    """
    past = identity_past.where(F.col("as_of").isin(*as_of_dates))
    current = identity_map.select(*IDENTITY_COLUMNS)
    if past.isEmpty():
        return resolve_current_users(current)
    changed = current.join(past.select("identifier"), on="identifier", how="left_semi").select("user_id")
    changed_users = changed.unionByName(past.select("user_id")).distinct()
    stable = current.join(changed_users, on="user_id", how="left_anti")
    moved = current.join(changed_users, on="user_id", how="left_semi").select(*IDENTITY_COLUMNS)
    dates = F.broadcast(local_rows(current.sparkSession, [(day,) for day in as_of_dates], "only_on date"))
    past = past.select(*IDENTITY_COLUMNS, F.col("as_of").alias("only_on"))
    unchanged = moved.crossJoin(dates).join(past, on=["identifier", "only_on"], how="left_anti")
    dated = unchanged.select(*IDENTITY_COLUMNS, "only_on").unionByName(past)
    return resolve_current_users(stable).unionByName(dated)


def resolve_current_users(identity_map: DataFrame) -> DataFrame:
    """The user of each identifier as of the newest date, as rows that are valid on all dates (only_on is NULL)."""
    return identity_map.select(*IDENTITY_COLUMNS, F.lit(None).cast("date").alias("only_on"))


def add_user(rows: DataFrame, users: DataFrame) -> DataFrame:
    """Adds user_id, status and only_on to rows by subject.

    A row repeats once for each row of `users` that names its subject (see resolve_users). A subject without one is an
    active user of its own.
    """
    by_subject = users.withColumnRenamed("identifier", "subject")
    return rows.join(by_subject, on="subject", how="left").withColumns(
        {
            "user_id": F.coalesce("user_id", user_id_of(F.col("subject"))),
            "status": F.coalesce("status", F.lit(str(UserStatus.ACTIVE))),
        }
    )


def is_visible_as_of(day: str = "event_date") -> SqlColumn:
    """Whether a user-day is visible at as_of: on or before it, under an identity that is valid on it."""
    return (F.col(day) <= F.col("as_of")) & is_identity_valid_as_of()


def is_identity_valid_as_of() -> SqlColumn:
    """Whether a row with `only_on` is valid at as_of."""
    return F.col("only_on").isNull() | (F.col("only_on") == F.col("as_of"))


def user_id_of(key_identifier: SqlColumn) -> SqlColumn:
    """The user_id that follows from a user's key identifier: 32 hexadecimal digits of a SHA-256 hash.

    The key of an identifier without a row in identity_map is the identifier itself.
    """
    return F.substring(F.sha2(F.concat(F.lit(USER_PREFIX), key_identifier), 256), 1, USER_ID_HEX)


def derive_user_id(key_identifier: str) -> str:
    """`user_id_of` in Python."""
    return hashlib.sha256(f"{USER_PREFIX}{key_identifier}".encode()).hexdigest()[:USER_ID_HEX]


def is_user_of(column: str, user_ids: Sequence[str]) -> HashIs:
    """Keeps the rows whose column holds the key identifier of one of the users."""
    return HashIs(column, USER_PREFIX, USER_ID_HEX, tuple(user_ids))

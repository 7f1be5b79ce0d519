"""Tables of the identity domain."""

from enum import StrEnum

from pyspark.sql import types as T

from lifestage.core.contracts import Column, Kind, Table, WriteMode


class UserStatus(StrEnum):
    """Whether a user is a person; a shared identifier is withheld: in totals, not in stages, value or segments."""

    ACTIVE = "active"
    SHARED = "shared"


IS_PERSON = f"status <> '{UserStatus.SHARED}'"

IDENTITY_MAP = Table(
    name="identity_map",
    kind=Kind.DERIVED,
    comment="Which user each identifier belongs to.",
    columns=(
        Column("identifier", T.StringType(), "Pseudonym", required=True),
        Column("user_id", T.StringType(), "User: a hash of the user's key identifier", required=True),
        Column(
            "status", T.StringType(), "active, or shared (withheld: in totals, not in stages)", required=True
        ),
    ),
    key=("identifier",),
    mode=WriteMode.OVERWRITE,
    unindexed=("identifier", "user_id"),
)

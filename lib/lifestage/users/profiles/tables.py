"""Tables of the profiles domain; columns come from the feature catalogue."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.users.catalogue.model import Catalogue, profile_columns

# What is said of a value beside it.
BECAUSE = ("source", "valid_from", "known_at")
_BECAUSE = T.MapType(
    T.StringType(),
    T.StructType(
        [
            T.StructField("source", T.StringType()),
            T.StructField("valid_from", T.DateType()),
            T.StructField("known_at", T.TimestampType()),
        ]
    ),
)


def user_profiles(catalogue: Catalogue) -> Table:
    """One row per user and as_of of whom a customer record says anything."""
    return Table(
        name="user_profiles",
        kind=Kind.DERIVED,
        comment="What customer records say of a user, as of a date, and which record is believed.",
        columns=(
            Column("user_id", T.StringType(), "User", required=True),
            Column("as_of", T.DateType(), "Business date the row describes", required=True),
            *profile_columns(catalogue),
            Column(
                "because", _BECAUSE, "Attribute to the record it is from: table, its date, when it was read"
            ),
        ),
        key=("user_id", "as_of"),
        mode=WriteMode.PARTITIONS,
        partitions=("as_of",),
        unindexed=("user_id",),
    )

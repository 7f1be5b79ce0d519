"""Tables of profiles; the columns come from the feature catalogue."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.users.catalogue.model import Catalogue, profile_columns

# Fields of the record that a value comes from.
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
    """The table of user profiles: one row per user and as_of with at least one known attribute."""
    return Table(
        name="user_profiles",
        kind=Kind.DERIVED,
        comment="Attributes of users from customer records, as of a date, with the record that each value comes from.",
        columns=(
            Column("user_id", T.StringType(), "User", required=True),
            Column("as_of", T.DateType(), "Business date the row describes", required=True),
            *profile_columns(catalogue),
            Column(
                "because",
                _BECAUSE,
                "Attribute to the record of its value: source table, valid_from, and known_at (when it was ingested)",
            ),
        ),
        key=("user_id", "as_of"),
        mode=WriteMode.PARTITIONS,
        partitions=("as_of",),
        unindexed=("user_id",),
    )

"""Tables of the identity domain."""

from pyspark.sql import types as T

from lifestage.core.contracts import Column, Kind, Table, WriteMode

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

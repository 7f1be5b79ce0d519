"""Tables of the audiences domain."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import MONEY, Column, Kind, Table, WriteMode
from lifestage.users.resolution import AS_OF, USER

AUDIENCE_DEFINITIONS = Table(
    name="audience_definitions",
    kind=Kind.ARTEFACT,
    comment="Every rule of each audience with the first as_of it applies to; the first rule also covers earlier dates.",
    columns=(
        Column("audience", T.StringType(), "Name of the audience", required=True),
        Column("from_as_of", T.DateType(), "First as_of that the rule applies to", required=True),
        Column("sql", T.StringType(), "The rule; NULL if the audience ends"),
        Column("semantic_hash", T.StringType(), "Hash of the rule's meaning", required=True),
    ),
    key=("audience", "from_as_of"),
    mode=WriteMode.MERGE,
)

USER_AUDIENCES = Table(
    name="user_audiences",
    kind=Kind.DERIVED,
    comment="The users of each audience as of a date, with the values that the rule of that date matched.",
    columns=(
        Column("audience", T.StringType(), "Name of the audience", required=True),
        USER,
        AS_OF,
        Column(
            "matched", T.MapType(T.StringType(), T.StringType()), "Value of every column that the rule names"
        ),
    ),
    key=("audience", "user_id", "as_of"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
    unindexed=("user_id",),
)

AUDIENCE_TOTALS = Table(
    name="audience_totals",
    kind=Kind.DERIVED,
    comment="Users and spend of each audience with members, as of a date. A user may be in several.",
    columns=(
        AS_OF,
        Column("audience", T.StringType(), "Name of the audience", required=True),
        Column("n_users", T.LongType(), "Users in the audience", required=True),
        Column("monetary_amount", MONEY, "Their net spend in the period", required=True),
        Column("period_days", T.IntegerType(), "Length of the period in days"),
    ),
    key=("as_of", "audience"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)

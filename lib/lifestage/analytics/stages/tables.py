"""Tables of the stages domain."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import MONEY, Column, Kind, Table, WriteMode
from lifestage.users.resolution import AS_OF, USER

USER_STAGES = Table(
    name="user_stages",
    kind=Kind.DERIVED,
    comment="The lifecycle stage of each user as of a date, with the rule that matched and the values it saw.",
    columns=(
        USER,
        AS_OF,
        Column("stage", T.StringType(), "First stage of the ladder whose condition is true", required=True),
        Column("rule", T.StringType(), "The condition, as configured", required=True),
        Column(
            "matched",
            T.MapType(T.StringType(), T.StringType()),
            "Value of every feature that the condition names",
        ),
    ),
    key=("user_id", "as_of"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
    unindexed=("user_id",),
)

STAGE_TOTALS = Table(
    name="stage_totals",
    kind=Kind.DERIVED,
    comment="Users and spend of each stage as of a date, so that a long series need not read every user.",
    columns=(
        AS_OF,
        Column("stage", T.StringType(), "Stage with at least one user", required=True),
        Column("n_users", T.LongType(), "Users in the stage", required=True),
        Column("net_amount_30d", MONEY, "Their net spend of the last 30 days", required=True),
    ),
    key=("as_of", "stage"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)

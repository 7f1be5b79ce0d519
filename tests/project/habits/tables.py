"""The table of habits."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.users.resolution import AS_OF, USER

USER_HABITS = Table(
    name="user_habits",
    kind=Kind.DERIVED,
    comment="How often each user comes, as of a date.",
    columns=(USER, AS_OF, Column("habit", T.StringType(), "frequent or rare", required=True)),
    key=("user_id", "as_of"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
    unindexed=("user_id",),
)

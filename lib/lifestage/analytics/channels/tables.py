"""Tables of the channels domain."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import MONEY, Column, Kind, Table, WriteMode
from lifestage.users.resolution import AS_OF

CHANNEL_TOTALS = Table(
    name="channel_totals",
    kind=Kind.DERIVED,
    comment="Users and spend by channel mix and stage, as of a date.",
    columns=(
        AS_OF,
        Column("channel_mix", T.StringType(), "Feature channel_mix_90d; NULL for users without an action"),
        Column("stage", T.StringType(), "Lifecycle stage", required=True),
        Column("n_users", T.LongType(), "Users with the mix and stage", required=True),
        Column("monetary_amount", MONEY, "Their net spend in the period", required=True),
        Column("period_days", T.IntegerType(), "Length of the period in days"),
    ),
    key=("as_of", "channel_mix", "stage"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)

CHANNEL_REACH = Table(
    name="channel_reach",
    kind=Kind.DERIVED,
    comment="Visits and net spend of the last days up to a date, and the part of people whom the business knows. "
    "No row where no identifiers are joined, or without events.",
    columns=(
        AS_OF,
        Column("period_days", T.IntegerType(), "Length of the period in days", required=True),
        Column("n_visits", T.LongType(), "Sessions, orders, or days of one identifier", required=True),
        Column("n_visits_alone", T.LongType(), "Of them, those that name a known person", required=True),
        Column(
            "n_visits_joined",
            T.LongType(),
            "Of them, those of a known person under any identifier",
            required=True,
        ),
        Column("net_amount", MONEY, "Purchases minus returns", required=True),
        Column("net_amount_alone", MONEY, "Of it, the part that names a known person", required=True),
        Column(
            "net_amount_joined",
            MONEY,
            "Of it, the part of a known person under any identifier",
            required=True,
        ),
    ),
    key=("as_of",),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)

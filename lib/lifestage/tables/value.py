"""Tables of the value domain."""

from pyspark.sql import types as T

from lifestage.core.contracts import Column, Kind, Table, WriteMode
from lifestage.tables.events import MONEY
from lifestage.tables.features import AS_OF, USER

USER_VALUE = Table(
    name="user_value",
    kind=Kind.DERIVED,
    comment="RFM of each user as of a date; scores are NULL for users without an occasion in the period.",
    columns=(
        USER,
        AS_OF,
        Column("rfm_status", T.StringType(), "scored, not_scored or insufficient_data", required=True),
        Column("rfm_period_days", T.IntegerType(), "Length of the period in days", required=True),
        Column("recency_days", T.LongType(), "Days since the last purchase occasion (0 = today)"),
        Column("frequency", T.LongType(), "Purchase occasions in the period"),
        Column("monetary_amount", MONEY, "Net spend in the period"),
        Column("mean_occasion_amount", MONEY, "Net spend per occasion in the period"),
        Column("r_score", T.IntegerType(), "1 to 5, 5 is most recent"),
        Column("f_score", T.IntegerType(), "1 to 5, 5 is most frequent"),
        Column("m_score", T.IntegerType(), "1 to 5, 5 is highest spend"),
        Column("rfm_name", T.StringType(), "Name of the cell of the R x F map"),
    ),
    key=("user_id", "as_of"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
    unindexed=("user_id",),
)

RFM_CUTS = Table(
    name="rfm_cuts",
    kind=Kind.DERIVED,
    comment="The cut points behind the RFM scores: the least value of each score, as of a date.",
    columns=(
        AS_OF,
        Column("measure", T.StringType(), "recency, frequency or monetary", required=True),
        Column("score", T.IntegerType(), "1 to 5", required=True),
        Column(
            "least_value",
            T.LongType(),
            "Worst value with the score: most days, fewest occasions, least minor units",
            required=True,
        ),
        Column("n_users", T.LongType(), "Users with the score", required=True),
    ),
    key=("as_of", "measure", "score"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)

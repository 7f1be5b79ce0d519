"""Tables of the value domain."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import MONEY, Column, Kind, Table, WriteMode
from lifestage.users.resolution import AS_OF, USER

INDEX = T.DecimalType(5, 4)

USER_VALUE = Table(
    name="user_value",
    kind=Kind.DERIVED,
    comment="RFM, value index and tier of each user as of a date; NULL for users without an occasion in the period.",
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
        Column(
            "rfm_name",
            T.StringType(),
            "Name of the cell of the R x F map; insufficient variety if ties leave fewer than 3 scores of R or F",
        ),
        Column(
            "value_index",
            INDEX,
            "Weighted sum of components, each scaled between the 5th and 95th percentile of scored users; 0 to 1",
        ),
        Column("tier", T.StringType(), "Tier of the value index"),
    ),
    key=("user_id", "as_of"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
    unindexed=("user_id",),
)

VALUE_TOTALS = Table(
    name="value_totals",
    kind=Kind.DERIVED,
    comment="Users and spend by RFM status, cell of the R x F map and tier, as of a date. Sums over cells give the totals "
    "of names and tiers.",
    columns=(
        AS_OF,
        Column("rfm_status", T.StringType(), "scored, not_scored or insufficient_data", required=True),
        Column("rfm_period_days", T.IntegerType(), "Length of the period in days", required=True),
        Column("r_score", T.IntegerType(), "1 to 5, 5 is most recent; NULL without scores"),
        Column("f_score", T.IntegerType(), "1 to 5, 5 is most frequent; NULL without scores"),
        Column("rfm_name", T.StringType(), "Name of the cell of the R x F map"),
        Column("tier", T.StringType(), "Tier of the value index"),
        Column("n_users", T.LongType(), "Users in the group", required=True),
        Column("monetary_amount", MONEY, "Their net spend in the period", required=True),
        Column("least_index", INDEX, "Least value index in the group"),
    ),
    key=("as_of", "rfm_status", "r_score", "f_score", "tier"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)

SPEND_SHARES = Table(
    name="spend_shares",
    kind=Kind.DERIVED,
    comment="Spend of the best 1, 2, ... 100 percent of buyers, as of a date. Buyers of equal spend may be split.",
    columns=(
        AS_OF,
        Column("percent", T.IntegerType(), "1 to 100, of buyers by spend, the best first", required=True),
        Column("n_users", T.LongType(), "Buyers of that percentage, rounded up", required=True),
        Column("monetary_amount", MONEY, "Their net spend in the period", required=True),
    ),
    key=("as_of", "percent"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)

RFM_CUTS = Table(
    name="rfm_cuts",
    kind=Kind.DERIVED,
    comment="The cut points of the RFM scores as of a date: the least value of each score.",
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

VALUE_SCALES = Table(
    name="value_scales",
    kind=Kind.DERIVED,
    comment="The components of the value index as of a date, with weights and percentiles over scored users.",
    columns=(
        AS_OF,
        Column("dimension", T.StringType(), "Enabled dimension of value", required=True),
        Column("component", T.StringType(), "Component of the dimension", required=True),
        Column(
            "weight",
            T.DoubleType(),
            "Weight in the index: of the dimension times that of the component",
            required=True,
        ),
        Column(
            "p5", T.DoubleType(), "Least value with a cumulative share of 5 %; scaled to 0", required=True
        ),
        Column(
            "p95", T.DoubleType(), "Least value with a cumulative share of 95 %; scaled to 1", required=True
        ),
        Column("n_users", T.LongType(), "Scored users", required=True),
        Column("n_known", T.LongType(), "Scored users whose value is neither NULL nor 0", required=True),
        Column(
            "dimensions_ci",
            T.DoubleType(),
            "Consistency index of the dimensions' comparisons; 0 if weights are given",
        ),
        Column("dimensions_cr", T.DoubleType(), "Consistency ratio of the dimensions' comparisons"),
        Column("components_ci", T.DoubleType(), "Consistency index of the comparisons within the dimension"),
        Column("components_cr", T.DoubleType(), "Consistency ratio of the comparisons within the dimension"),
    ),
    key=("as_of", "dimension", "component"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)

TIER_CUTS = Table(
    name="tier_cuts",
    kind=Kind.DERIVED,
    comment="The cut points of the tiers as of a date: the least value index of each tier.",
    columns=(
        AS_OF,
        Column("tier", T.StringType(), "Tier", required=True),
        Column(
            "least_index",
            INDEX,
            "Least value index in the tier, or the configured bound",
            required=True,
        ),
        Column("n_users", T.LongType(), "Users in the tier", required=True),
    ),
    key=("as_of", "tier"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)

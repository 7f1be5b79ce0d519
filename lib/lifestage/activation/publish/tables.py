"""Tables of the publish domain: runs, and what is frozen."""

from pyspark.sql import types as T

from lifestage.analytics.value.tables import INDEX
from lifestage.platform.storage.contracts import MONEY, Column, Kind, Table, WriteMode
from lifestage.users.resolution import AS_OF, USER

CHECK = T.StructType(
    [
        T.StructField("name", T.StringType()),
        T.StructField("passed", T.BooleanType()),
        T.StructField("detail", T.StringType()),
    ]
)

STRATEGY = T.StructType(
    [
        T.StructField("kind", T.StringType()),
        T.StructField("name", T.StringType()),
        T.StructField("touchpoints", T.ArrayType(T.StringType())),
        T.StructField("benefits", T.StringType()),
        T.StructField("message", T.StringType()),
        T.StructField("owner", T.StringType()),
    ]
)

SNAPSHOTS = Table(
    name="snapshots",
    kind=Kind.FROZEN,
    comment="The manifest of each published snapshot; the greatest as_of, then revision, is the latest.",
    columns=(
        Column("snapshot_id", T.StringType(), "as_of.rN", required=True),
        AS_OF,
        Column("revision", T.IntegerType(), "1 for the first publication of an as_of", required=True),
        Column("published_at", T.TimestampType(), "The run's now", required=True),
        Column(
            "journal_version",
            T.LongType(),
            "Version of identity_changes then: who merged since is in later ones",
            required=True,
        ),
        Column("run_id", T.StringType(), "Run that published it", required=True),
        Column("n_users", T.LongType(), "Rows in snapshot_users", required=True),
        Column("digest", T.StringType(), "Digest of the rows, independent of their order", required=True),
        Column(
            "counts",
            T.MapType(T.StringType(), T.LongType()),
            "Users per stage, RFM name, tier, segment and audience",
        ),
        Column("model_id", T.StringType(), "Segment model in force"),
        Column("checks", T.ArrayType(CHECK), "Every check and what it saw"),
        Column(
            "strategies",
            T.ArrayType(STRATEGY),
            "What is done with each stage, tier and audience, as configured",
        ),
        Column("config_hash", T.StringType(), "Semantic hash of the configuration"),
        Column("code_version", T.StringType(), "Version of lifestage"),
        Column("erased", T.LongType(), "Rows removed by erasure since; 0 when published"),
    ),
    key=("snapshot_id",),
    mode=WriteMode.INSERT,
)

SNAPSHOT_USERS = Table(
    name="snapshot_users",
    kind=Kind.FROZEN,
    comment="The users of each published snapshot with stage, value, segment and audiences, copied.",
    columns=(
        Column("snapshot_id", T.StringType(), "as_of.rN", required=True),
        USER,
        AS_OF,
        Column("stage", T.StringType(), "Lifecycle stage"),
        Column("stage_rule", T.StringType(), "Condition that matched"),
        Column("stage_matched", T.MapType(T.StringType(), T.StringType()), "Values that matched"),
        Column("rfm_name", T.StringType(), "Name of the R x F cell"),
        Column("r_score", T.IntegerType(), "1 to 5"),
        Column("f_score", T.IntegerType(), "1 to 5"),
        Column("m_score", T.IntegerType(), "1 to 5"),
        Column("value_index", INDEX, "Value index, 0 to 1"),
        Column("tier", T.StringType(), "Tier of the value index"),
        Column("monetary_amount", MONEY, "Net spend in the period of RFM"),
        Column("segment_id", T.IntegerType(), "Stable id of the segment"),
        Column("segment", T.StringType(), "Name of the segment"),
        Column("audiences", T.ArrayType(T.StringType()), "Audiences that the user is in, by name"),
    ),
    key=("snapshot_id", "user_id"),
    mode=WriteMode.PARTITIONS,
    partitions=("snapshot_id",),
    unindexed=("user_id",),
)

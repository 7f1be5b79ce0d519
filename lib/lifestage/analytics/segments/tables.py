"""Tables of the segments domain."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.users.resolution import AS_OF, USER

SEGMENT_MODELS = Table(
    name="segment_models",
    kind=Kind.ARTEFACT,
    comment="One k-means model for each training date. An input of every rebuild, never rebuilt.",
    columns=(
        Column(
            "model_id", T.StringType(), "Training date and a digest of the model's content", required=True
        ),
        Column("trained_on", T.DateType(), "as_of whose features the model was trained on", required=True),
        Column(
            "features_hash",
            T.StringType(),
            "Hash of the features' definitions: expressions and logs",
        ),
        Column("seed", T.LongType(), "Seed of the coreset and the starts"),
        Column("n_users", T.LongType(), "Users the model was trained on"),
        Column("k", T.IntegerType(), "Number of segments"),
        Column(
            "scores",
            T.ArrayType(
                T.StructType(
                    [
                        T.StructField("k", T.IntegerType()),
                        T.StructField("inertia", T.DoubleType()),
                        T.StructField("silhouette", T.DoubleType()),
                        T.StructField("min_share", T.DoubleType()),
                    ]
                )
            ),
            "Scores of each k on the coreset: inertia, simplified silhouette, share of users in the smallest segment",
        ),
        Column(
            "features",
            T.ArrayType(
                T.StructType(
                    [
                        T.StructField("name", T.StringType()),
                        T.StructField("expression", T.StringType()),
                        T.StructField("log", T.BooleanType()),
                        T.StructField("median", T.DoubleType()),
                        T.StructField("low", T.DoubleType()),
                        T.StructField("high", T.DoubleType()),
                        T.StructField("mean", T.DoubleType()),
                        T.StructField("scale", T.DoubleType()),
                    ]
                )
            ),
            "For each feature that varies, in order: SQL over user_features; median, clip bounds, mean and scale, after log1p "
            "if log",
        ),
        Column(
            "segments",
            T.ArrayType(
                T.StructType(
                    [
                        T.StructField("segment_id", T.IntegerType()),
                        T.StructField("name", T.StringType()),
                        T.StructField("centroid", T.ArrayType(T.DoubleType())),
                        T.StructField("size", T.LongType()),
                    ]
                )
            ),
            "For each segment: stable id, name by its profile (kept while its traits hold), centroid in scaled space, users at "
            "training",
        ),
        Column(
            "retired_ids",
            T.ArrayType(T.IntegerType()),
            "Segment ids of earlier models that are no longer used",
        ),
    ),
    key=("trained_on",),
    mode=WriteMode.INSERT,
)

SEGMENT_TOTALS = Table(
    name="segment_totals",
    kind=Kind.DERIVED,
    comment="Users of each segment, and of each status without a segment, as of a date.",
    columns=(
        AS_OF,
        Column("status", T.StringType(), "modelled, not_eligible or not_modelled", required=True),
        Column("model_id", T.StringType(), "Model that assigned the segment"),
        Column("segment_id", T.IntegerType(), "Stable id of the segment"),
        Column("segment", T.StringType(), "Name of the segment"),
        Column("n_users", T.LongType(), "Users in the group", required=True),
    ),
    key=("as_of", "status", "segment_id"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)

SEGMENT_PROFILES = Table(
    name="segment_profiles",
    kind=Kind.DERIVED,
    comment="The features that profile a segment, as of a date: total / n_known is the mean over users with a value. "
    "Features are those of report.segment_features.",
    columns=(
        AS_OF,
        Column("segment_id", T.IntegerType(), "Stable id of the segment", required=True),
        Column("feature", T.StringType(), "Column of user_features", required=True),
        Column("n_known", T.LongType(), "Users of the segment with a value", required=True),
        Column("total", T.DecimalType(28, 4), "Sum of their values; a flag counts 1 or 0", required=True),
    ),
    key=("as_of", "segment_id", "feature"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)

USER_SEGMENTS = Table(
    name="user_segments",
    kind=Kind.DERIVED,
    comment="The segment of each user as of a date, by the model of the latest training date on or before it.",
    columns=(
        USER,
        AS_OF,
        Column(
            "status",
            T.StringType(),
            "modelled, not_eligible, or not_modelled (eligible, but the date has no model)",
        ),
        Column("model_id", T.StringType(), "Model that assigned the segment"),
        Column("segment_id", T.IntegerType(), "Stable id of the segment"),
        Column("segment", T.StringType(), "Name of the segment"),
        Column("distance", T.DoubleType(), "Euclidean distance to the segment's centroid in scaled space"),
        Column("runner_up_id", T.IntegerType(), "Next nearest segment"),
        Column("runner_up_distance", T.DoubleType(), "Distance to the next nearest centroid"),
    ),
    key=("user_id", "as_of"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
    unindexed=("user_id",),
)

"""Tables of the segments domain."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.users.resolution import AS_OF, USER

SEGMENT_MODELS = Table(
    name="segment_models",
    kind=Kind.ARTEFACT,
    comment="One K-means model per training date. An input of a rebuild, never rebuilt.",
    columns=(
        Column(
            "model_id", T.StringType(), "Training date and a digest of the model's content", required=True
        ),
        Column("trained_on", T.DateType(), "as_of whose features the model was trained on", required=True),
        Column(
            "features_hash",
            T.StringType(),
            "Hash of the features' expressions and logs: what the space means",
        ),
        Column("seed", T.LongType(), "Seed of coreset and starts"),
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
            "What each k tried was worth on the coreset: inertia, simplified silhouette, share of the smallest segment",
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
            "Per feature, in order: SQL over user_features; fill value, clip bounds and scaling, after log1p where log",
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
            "Per segment: stable id, name from its profile, centroid in scaled space, users at training",
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

USER_SEGMENTS = Table(
    name="user_segments",
    kind=Kind.DERIVED,
    comment="The segment of each user as of a date, under the model of the latest training date up to it.",
    columns=(
        USER,
        AS_OF,
        Column(
            "status",
            T.StringType(),
            "modelled, not_eligible, or not_modelled: eligible, but the date has no model",
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

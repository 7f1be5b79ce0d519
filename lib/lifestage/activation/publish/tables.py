"""Tables of the publish domain: snapshots and their users."""

from collections.abc import Iterator, Sequence

from pyspark.sql import types as T

from lifestage.platform.result import DomainResult
from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
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
            "Version of identity_changes at publication; later versions have the users who merged since",
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
        Column("checks", T.ArrayType(CHECK), "Every check with its result"),
        Column(
            "strategies",
            T.ArrayType(STRATEGY),
            "Strategy of each stage, tier and audience, as configured",
        ),
        Column("config_hash", T.StringType(), "Semantic hash of the configuration"),
        Column("code_version", T.StringType(), "Version of lifestage"),
        Column("erased", T.LongType(), "Rows removed by erasure since; 0 when published"),
    ),
    key=("snapshot_id",),
    mode=WriteMode.INSERT,
)


def snapshot_users(results: Sequence[DomainResult]) -> Table:
    """Return the contract of snapshot_users, with the columns that each result copies."""
    return Table(
        name="snapshot_users",
        kind=Kind.FROZEN,
        comment="The users of each published snapshot with stage, value, segment and audiences, copied.",
        columns=(
            Column("snapshot_id", T.StringType(), "as_of.rN", required=True),
            USER,
            AS_OF,
            *[column for each in results for column in _copy_columns(each)],
        ),
        key=("snapshot_id", "user_id"),
        mode=WriteMode.PARTITIONS,
        partitions=("snapshot_id",),
        unindexed=("user_id",),
    )


def _copy_columns(result: DomainResult) -> Iterator[Column]:
    columns = {column.name: column for column in result.table.columns}
    for name, source in result.snapshot.items():
        column = columns[source]
        if result.declaration.is_listed:
            yield Column(
                name, T.ArrayType(column.type), f"{column.description}; every one of the user, sorted"
            )
        else:
            yield Column(name, column.type, column.description, unit=column.unit)

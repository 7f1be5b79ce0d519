"""Tables about runs: the completed runs, and the run that holds the lock on the storage root."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode

RUNS = Table(
    name="runs",
    kind=Kind.JOURNAL,
    comment="One row per completed run: what it built, from which deliveries, and the table versions that readers see.",
    columns=(
        Column("run_id", T.StringType(), "Run", required=True),
        Column("now", T.TimestampType(), "The run's now", required=True),
        Column("as_of_dates", T.ArrayType(T.DateType()), "Dates built, ascending"),
        Column("delivery_no", T.LongType(), "Greatest delivery that the run's tables contain"),
        Column(
            "table_versions", T.MapType(T.StringType(), T.LongType()), "Version of every table on completion"
        ),
        Column("snapshot_ids", T.ArrayType(T.StringType()), "Snapshots published"),
        Column("config_hash", T.StringType(), "Semantic hash of the configuration"),
        Column("code_version", T.StringType(), "Version of lifestage"),
        Column("seconds", T.MapType(T.StringType(), T.DoubleType()), "Wall seconds per step"),
        Column(
            "bytes_written", T.MapType(T.StringType(), T.LongType()), "Size of the files written, per step"
        ),
        Column(
            "n_touched_subjects",
            T.LongType(),
            "Subjects whose days the run computed: those with new, corrected, deleted or newly described events; "
            "in a rebuild, all",
        ),
    ),
    key=("run_id",),
    mode=WriteMode.MERGE,
)

RUN_LOCK = Table(
    name="run_lock",
    kind=Kind.JOURNAL,
    comment="The run that holds the lock on the storage root. A row is void once its process is gone or its run has completed.",
    columns=(
        Column("run_id", T.StringType(), "Run", required=True),
        Column("host", T.StringType(), "Host of its driver", required=True),
        Column(
            "pid", T.LongType(), "Process of its driver; NULL if the run consists of jobs", required=False
        ),
        Column("pid_started", T.StringType(), "When that process started (ISO 8601, UTC)"),
        Column("taken_at", T.TimestampType(), "When the lock was taken (wall clock)", required=True),
    ),
    key=("run_id",),
    mode=WriteMode.OVERWRITE,
)

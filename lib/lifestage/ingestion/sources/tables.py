"""Tables that events and reference data share: rejected rows and the ingest ledger."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import STRING_MAP, Column, Kind, Table, WriteMode

# Columns that rejected rows share with events.
DELIVERY_NO = Column("delivery_no", T.LongType(), "Delivery in the ingest ledger", required=True)
INGESTED_AT = Column(
    "ingested_at", T.TimestampType(), "When its delivery was read (the run's now)", required=True
)

REJECTED_EVENTS = Table(
    name="rejected_events",
    kind=Kind.DERIVED,
    comment="Rows that could not become events or reference data, with every reason; raw text encrypted.",
    columns=(
        Column(
            "rejected_id",
            T.StringType(),
            "Keyed hash of the raw text and its occurrence in the delivery",
            required=True,
        ),
        Column("source", T.StringType(), "Declared source, or reference table", required=True),
        DELIVERY_NO,
        INGESTED_AT,
        Column("event_date", T.DateType(), "Business date, if it could be parsed"),
        Column("reasons", T.ArrayType(T.StringType()), "Every rule the row breaks, sorted", required=True),
        Column("identifiers", STRING_MAP, "Pseudonyms of the identifiers that could be parsed"),
        Column(
            "raw", T.BinaryType(), "The raw text, encrypted with the quarantine key (AES-SIV)", required=True
        ),
    ),
    key=("rejected_id", "delivery_no"),
    mode=WriteMode.APPEND,
    unindexed=("rejected_id",),
)

# Ledger kinds: a replay of rejected rows, and a delivery of reference data.
REPLAY = "replay"
REFERENCE = "reference"

COUNT_COLUMNS = (
    Column("n_rows", T.LongType(), "Rows in"),
    Column("n_accepted", T.LongType(), "Rows that became events"),
    Column("n_replaced", T.LongType(), "Corrections and deletes that took effect"),
    Column("n_superseded", T.LongType(), "Rows with a lower version than the known one"),
    Column("n_duplicate", T.LongType(), "Rows whose key was known"),
    Column("n_rejected", T.LongType(), "Rows that break a rule"),
    Column("n_skipped", T.LongType(), "Rows that are no data, as the source declares"),
    Column("n_suppressed", T.LongType(), "Rows of suppressed persons"),
)

INGEST_LEDGER = Table(
    name="ingest_ledger",
    kind=Kind.JOURNAL,
    comment="One row per delivery: a file, or a replay of rejected rows. The row commits the delivery.",
    columns=(
        Column("delivery_no", T.LongType(), "Growing number, one sequence per storage root", required=True),
        Column("source", T.StringType(), "Declared source", required=True),
        Column(
            "kind", T.StringType(), "events, reference, known (content seen before) or replay", required=True
        ),
        Column("path", T.StringType(), "File as found"),
        Column("n_bytes", T.LongType(), "Size of the file"),
        Column("modified_at", T.TimestampType(), "When the file was last changed"),
        Column("fingerprint", T.StringType(), "SHA-256 of the file's bytes", required=True),
        Column("known_as", T.LongType(), "Earlier delivery with the same content"),
        Column("header", T.StringType(), "Header of a CSV file whose columns are read by name"),
        Column("replayed", T.ArrayType(T.StringType()), "Rejected rows that a replay processed"),
        Column("ingested_at", T.TimestampType(), "The run's now", required=True),
        *COUNT_COLUMNS,
        Column("n_late", T.LongType(), "Accepted rows whose day was already final"),
        Column("reasons", T.MapType(T.StringType(), T.LongType()), "Rows per broken rule of severity error"),
        Column(
            "warnings", T.MapType(T.StringType(), T.LongType()), "Rows per broken rule of severity warning"
        ),
        Column("first_event_date", T.DateType(), "Earliest business date the delivery changed"),
        Column("last_event_date", T.DateType(), "Latest business date the delivery changed"),
        Column(
            "table_versions",
            T.MapType(T.StringType(), T.LongType()),
            "Table versions that the delivery completes",
        ),
    ),
    key=("delivery_no",),
    mode=WriteMode.APPEND,
    unindexed=("path", "header"),
)

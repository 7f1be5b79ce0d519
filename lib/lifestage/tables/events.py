"""Tables of the ingest domain: canonical events and what did not become one."""

from pyspark.sql import types as T

from lifestage.core.contracts import Column, Kind, Table, WriteMode

MONEY = T.DecimalType(18, 2)
QUANTITY = T.DecimalType(18, 3)
STRING_MAP = T.MapType(T.StringType(), T.StringType())

# What a source maps to; the rest of the canonical columns is ours.
MAPPED_COLUMNS = (
    Column("event_type", T.StringType(), "What happened: a type of the declared catalogue", required=True),
    Column("event_at", T.TimestampType(), "When it happened (UTC instant)", required=True),
    Column("channel", T.StringType(), "Where it happened: web, app, store, call, mail, ..."),
    Column("amount", MONEY, "Business currency, after discounts; purchase >= 0, return <= 0"),
    Column("discount_amount", MONEY, "Discount given by the retailer, >= 0, business currency"),
    Column("coupon_amount", MONEY, "Paid by coupons, >= 0, business currency"),
    Column("amount_original", MONEY, "Amount in the currency it was paid in"),
    Column("currency_original", T.StringType(), "ISO 4217 code of amount_original"),
    Column("quantity", QUANTITY, "Units"),
    Column("product_id", T.StringType(), "Product as the source names it"),
    Column("category", T.StringType(), "Category as the source names it; the product's own where NULL"),
    Column("order_id", T.StringType(), "Basket, order or receipt"),
    Column("session_id", T.StringType(), "Visit on web, app or in the store"),
    Column("starts_session", T.BooleanType(), "True on the first event of a session"),
    Column("campaign", T.StringType(), "Campaign the event belongs to"),
    Column("location_id", T.StringType(), "Store, region or sensor"),
    Column("duration", T.LongType(), "Seconds the event lasted"),
    Column("rating", T.DoubleType(), "Rating or survey score, 1 (worst) to 5 (best)"),
    Column("attributes", STRING_MAP, "What else the source declares worth keeping"),
)

EVENT_COLUMNS = (
    Column("event_id", T.StringType(), "Key of the event within its source", required=True),
    Column("source", T.StringType(), "Declared source", required=True),
    *MAPPED_COLUMNS[:2],
    Column("event_date", T.DateType(), "Business date of event_at", required=True),
    Column("event_month", T.DateType(), "First day of event_date's month; partition", required=True),
    Column("ingested_at", T.TimestampType(), "When its delivery was read (the run's now)", required=True),
    Column("delivery_no", T.LongType(), "Delivery in the ingest ledger", required=True),
    Column("version", T.LongType(), "Version of the row where its source declares one"),
    Column("subject", T.StringType(), "Strongest pseudonym present; NULL for anonymous rows"),
    Column("identifiers", STRING_MAP, "Identifier type to pseudonym"),
    *MAPPED_COLUMNS[2:],
)

EVENTS = Table(
    name="events",
    kind=Kind.DERIVED,
    comment="Accepted events of every channel in one canonical form, one row an event.",
    columns=EVENT_COLUMNS,
    key=("source", "event_id", "event_date"),
    mode=WriteMode.APPEND,
    partitions=("event_month",),
    order=("event_date",),
    unindexed=("event_id", "subject", "order_id", "session_id"),
)

EVENT_VERSIONS = Table(
    name="event_versions",
    kind=Kind.DERIVED,
    comment="Events that a correction or delete took out, and versions that arrived too old to count.",
    columns=(
        *EVENT_COLUMNS,
        Column(
            "superseded_at", T.TimestampType(), "When the row stopped counting (the run's now)", required=True
        ),
        Column("superseded_by", T.LongType(), "Delivery that brought the better row", required=True),
        Column("superseded_by_version", T.LongType(), "Version of the better row where there is one"),
        Column("reason", T.StringType(), "corrected, deleted or outdated", required=True),
    ),
    key=("source", "event_id", "event_date", "delivery_no", "version", "superseded_by"),
    mode=WriteMode.APPEND,
    partitions=("event_month",),
    unindexed=("event_id", "subject", "order_id", "session_id"),
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
        Column("delivery_no", T.LongType(), "Delivery in the ingest ledger", required=True),
        Column("ingested_at", T.TimestampType(), "When its delivery was read (the run's now)", required=True),
        Column("event_date", T.DateType(), "Business date where it could be parsed"),
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

# What the ledger calls a delivery of rows that had been rejected, and one of reference data.
REPLAY = "replay"
REFERENCE = "reference"

COUNT_COLUMNS = (
    Column("n_rows", T.LongType(), "Rows in"),
    Column("n_accepted", T.LongType(), "Rows that became events"),
    Column("n_replaced", T.LongType(), "Corrections and deletes that took effect"),
    Column("n_superseded", T.LongType(), "Rows of a lower version than the one known"),
    Column("n_duplicate", T.LongType(), "Rows whose key was known"),
    Column("n_rejected", T.LongType(), "Rows that break a rule"),
    Column("n_suppressed", T.LongType(), "Rows of suppressed persons"),
)

INGEST_LEDGER = Table(
    name="ingest_ledger",
    kind=Kind.JOURNAL,
    comment="One row a delivery: a file read once, or a replay of rejected rows. Its row commits the delivery.",
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
        Column("known_as", T.LongType(), "Delivery that had the same content"),
        Column("replayed", T.ArrayType(T.StringType()), "Rejected rows that a replay took up"),
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
            "Versions of ingest's tables it completes",
        ),
    ),
    key=("delivery_no",),
    mode=WriteMode.APPEND,
)

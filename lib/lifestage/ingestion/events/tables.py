"""Tables of the events domain: canonical events, and the rows that corrections and deletes removed."""

from pyspark.sql import types as T

from lifestage.ingestion.sources.tables import DELIVERY_NO, INGESTED_AT
from lifestage.platform.storage.contracts import MONEY, QUANTITY, STRING_MAP, Column, Kind, Table, WriteMode

# Columns that a source can map. lifestage fills the other canonical columns.
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
    Column(
        "category",
        T.StringType(),
        "Category as the source names it; the main file can fill it from the product",
    ),
    Column("order_id", T.StringType(), "Basket, order or receipt"),
    Column("session_id", T.StringType(), "Visit on web, app or in the store"),
    Column("starts_session", T.BooleanType(), "True on the first event of a session"),
    Column("campaign", T.StringType(), "Campaign the event belongs to"),
    Column("location_id", T.StringType(), "Store, region or sensor"),
    Column("duration", T.LongType(), "Seconds the event lasted"),
    Column("rating", T.DoubleType(), "Rating or survey score, 1 (worst) to 5 (best)"),
    Column("attributes", STRING_MAP, "Additional values that the source declares"),
)

# Texts that no catalogue limits. They stay out of statistics, because the log would show their minimum and maximum.
FREE_TEXTS = ("channel", "product_id", "category", "order_id", "session_id", "campaign", "location_id")

EVENT_COLUMNS = (
    Column("event_id", T.StringType(), "Key of the event within its source", required=True),
    Column("source", T.StringType(), "Declared source", required=True),
    *MAPPED_COLUMNS[:2],
    Column("event_date", T.DateType(), "Business date of event_at", required=True),
    Column("event_month", T.DateType(), "First day of event_date's month; partition", required=True),
    INGESTED_AT,
    DELIVERY_NO,
    Column("version", T.LongType(), "Version of the row, if its source declares one"),
    Column("subject", T.StringType(), "Strongest pseudonym present; NULL for anonymous rows"),
    Column("identifiers", STRING_MAP, "Identifier type to pseudonym"),
    *MAPPED_COLUMNS[2:],
)

EVENTS = Table(
    name="events",
    kind=Kind.DERIVED,
    comment="Accepted events of every channel in one canonical form, one row per event.",
    columns=EVENT_COLUMNS,
    key=("source", "event_id", "event_date"),
    mode=WriteMode.APPEND,
    partitions=("event_month",),
    order=("event_date",),
    unindexed=("event_id", "subject", *FREE_TEXTS),
)

EVENT_VERSIONS = Table(
    name="event_versions",
    kind=Kind.DERIVED,
    comment="Events that a correction or delete removed, and rows that arrived with a lower version than the known one.",
    columns=(
        *EVENT_COLUMNS,
        Column(
            "superseded_at", T.TimestampType(), "When the row stopped counting (the run's now)", required=True
        ),
        Column("superseded_by", T.LongType(), "Delivery of the row that superseded it", required=True),
        Column("superseded_by_version", T.LongType(), "Version of the row that superseded it, if it has one"),
        Column("reason", T.StringType(), "corrected, deleted or outdated", required=True),
    ),
    key=("source", "event_id", "event_date", "delivery_no", "version", "superseded_by"),
    mode=WriteMode.APPEND,
    partitions=("event_month",),
    unindexed=("event_id", "subject", *FREE_TEXTS),
)

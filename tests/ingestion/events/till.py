"""A till source, and builders of its lines: a test states only the values that matter to it."""

from datetime import UTC, date, datetime
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from ingestion.sources.landing import Landing
from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.event_types import EventType
from lifestage.ingestion.events.mapping import IngestContext, to_canonical
from lifestage.ingestion.sources.config import Source
from lifestage.platform.config.shared import IdentifierType
from lifestage.platform.config.yaml_files import packaged_yaml

KEY = b"k" * 32
NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
ALWAYS = (date(1, 1, 1), date(9999, 12, 31))
CHANGE = date(2026, 3, 5)

COLUMNS = {
    "id": "string",
    "seq": "int",
    "at": "timestamp",
    "kind": "string",
    "amount": "decimal(18,2)",
    "discount": "decimal(18,2)",
    "currency": "string",
    "quantity": "decimal(18,3)",
    "product": "string",
    "email": "string",
    "phone": "string",
    "updated": "timestamp",
    "gone": "boolean",
}
DEFAULTS = {"id": "r", "seq": "1", "at": "2026-03-04T12:00:00Z", "kind": "purchase", "amount": "10.00"}
TILL = {
    "path": "till/*",
    "format": "csv",
    "columns": COLUMNS,
    "key": ["id", "seq"],
    "version": "updated",
    "delete_when": "gone",
    "identifiers": {"email": "email", "phone": "phone"},
    "pii": ["email", "phone"],
    "lookups": [{"reference": "products", "on": {"id": "product"}}],
    "map": {
        "event_type": "kind",
        "event_at": "at",
        "channel": "'store'",
        "amount_original": "amount",
        "currency_original": "currency",
        "discount_amount": "discount",
        "quantity": "quantity",
        "order_id": "id",
        "category": "products.category",
        "duration": "concat(seq, '0')",
    },
    "attributes": {"file": "file_name", "none": "CAST(NULL AS STRING)"},
    "rules": {
        "has_amount": {"check": "amount IS NOT NULL"},
        "plausible": {"check": "amount < 1000", "severity": "warning"},
    },
}


def line(**columns: str) -> str:
    """Build one line of the till, complete by default; `updated` defaults to the time of sale."""
    values = {**DEFAULTS, "updated": columns.get("at", DEFAULTS["at"]), **columns}
    return ",".join(values.get(name, "") for name in COLUMNS)


def canonical(spark: SparkSession, folder: Path, lines: list[str | bytes], **changes: object) -> DataFrame:
    """Map the lines to canonical rows, without the header."""
    landing = Landing(spark, folder)
    texts = [item if isinstance(item, bytes) else item.encode() for item in [",".join(COLUMNS), *lines]]
    landing.put("a.csv", b"\n".join(texts))
    source = Source.model_validate({**TILL, **changes})
    raw = landing.rows(source)
    return to_canonical(raw, "till", source, build_context(spark, source)).where("NOT is_header")


def build_context(spark: SparkSession, source: Source) -> IngestContext:
    """Build a context in dollars and New York time. From CHANGE on, a euro costs 1.25 instead of 1.10, and p1 moves from food to drinks."""
    before, after = (ALWAYS[0], CHANGE), (CHANGE, ALWAYS[1])
    rates = [("EUR", "1.10", *before), ("EUR", "1.25", *after), ("YEN", "no number", *ALWAYS)]
    products = [("p1", "food", *before), ("p1", "drinks", *after)]
    validity = "valid_from date, valid_to date"
    base = packaged_yaml("project/defaults.yaml")
    types = packaged_yaml("ingestion/events/defaults.yaml")
    config = IngestConfig(
        sources={"till": source},
        event_types={name: EventType.model_validate(item) for name, item in types.items()},
        identifiers={
            name: IdentifierType.model_validate(
                {**item, "placeholders": [*base["placeholders"], *item.get("placeholders", ())]}
            )
            for name, item in base["identifiers"].items()
        },
        landing="",
        history_starts_on=date(2020, 1, 1),
        time_zone="America/New_York",
        currency="USD",
        finality_days=3,
    )
    lookups = {
        "rates": spark.createDataFrame(rates, f"currency string, rate string, {validity}"),
        "products": spark.createDataFrame(products, f"id string, category string, {validity}"),
    }
    return IngestContext(config, lookups, KEY, NOW)

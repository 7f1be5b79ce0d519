"""Events of a few subjects, and a catalogue with a few measures."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame, SparkSession

from lifestage.ingestion.events.tables import EVENTS
from lifestage.users.activity.config import ActivityConfig
from lifestage.users.catalogue.model import Catalogue
from support.frames import build

ZONE = ZoneInfo("America/New_York")


def measure(aggregate: str, unit: str = "events", **changes: str) -> dict[str, str]:
    return {"aggregate": aggregate, "unit": unit, "description": "x", **changes}


MEASURES = {
    "n_events": measure("count"),
    "n_actions": measure("count", filter="is_action"),
    "net_amount": measure("sum", "money", expression="amount", filter="event_type IN ('purchase', 'return')"),
    "quantity": measure("sum", "units", expression="quantity"),
    "seconds": measure("sum", "seconds", expression="duration"),
    "first_channel": measure("min", "name", expression="channel"),
    "best_rating": measure("max", "points", expression="rating"),
    "new_products": measure("count", filter="is_new_product"),
    "night_actions": measure("count", filter="local_hour >= 22 OR local_hour < 6"),
    "food_amount": measure("sum", "money", expression="amount", filter="category = 'food'"),
    "features": measure("distinct", expression="attributes['feature']", filter="event_type = 'feature_use'"),
}


def config(**changes: Any) -> ActivityConfig:
    catalogue = Catalogue.model_validate(
        {"measures": MEASURES, "days": {}, "dates": {}, "windows": {}, "features": {}}
    )
    values = {
        "catalogue": catalogue,
        "actions": ("feature_use", "purchase", "return"),
        "time_zone": ZONE.key,
        "lookups": {"products": {"id": "product_id"}},
        "category": "coalesce(category, products.category)",
        "is_new_product": "products.category = 'toys'",
        **changes,
    }
    return ActivityConfig(**values)


def event(
    at: str, subject: str | None = "anna", event_type: str = "purchase", **columns: Any
) -> dict[str, Any]:
    """An event at an instant; its business date is that of New York."""
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    day = moment.astimezone(ZONE).date()
    dates = {"event_date": day, "event_month": day.replace(day=1)}
    return {"subject": subject, "event_type": event_type, "event_at": moment, **dates, **columns}


def events(spark: SparkSession, rows: list[dict[str, Any]]) -> DataFrame:
    return build(spark, EVENTS, rows)


def products(spark: SparkSession) -> DataFrame:
    """Product p1: food, from 10 March on toys."""
    begin, change, end = date(1, 1, 1), date(2026, 3, 10), date(9999, 12, 31)
    rows = [("p1", "food", begin, change), ("p1", "toys", change, end)]
    return spark.createDataFrame(rows, "id string, category string, valid_from date, valid_to date")

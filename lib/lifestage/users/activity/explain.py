"""What a user's days would be if they bought once more."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.events.tables import EVENTS
from lifestage.platform.explain import Explain
from lifestage.platform.hypotheses import SILENCE, Hypotheses
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.user_rows import Scope, UserRows
from lifestage.users.activity.config import ActivityConfig
from lifestage.users.activity.days import build_activity_days, enrich_events


def assume_days(hypotheses: Hypotheses, config: ActivityConfig) -> dict[str, DataFrame]:
    """The user's days up to the date under each hypothesis, and the day of its purchase.

    The purchase has no product, so that it adds no category.
    """
    days = {name: hypotheses.copy_days(name) for name in ("activity_days", "category_days")}
    if hypotheses.amount is None:
        return days
    purchases = build_activity_days(_purchases(hypotheses, config), config)
    return {**days, "activity_days": days["activity_days"].unionByName(purchases)}


EXPLAIN = Explain(
    reads={"activity_days": Scope.SUBJECTS, "category_days": Scope.SUBJECTS},
    assume=assume_days,
)


def _purchases(hypotheses: Hypotheses, config: ActivityConfig) -> DataFrame:
    """The purchase of each hypothesis, as an event like any other."""
    rows = hypotheses.rows
    events = [tuple(event.get(name) for name in EVENTS.names) for event in _events(hypotheses, config)]
    lookups = {name: rows.read(name).where("NOT is_ended") for name in config.lookups}
    return enrich_events(local_rows(rows.identifiers.sparkSession, events, EVENTS.schema), lookups, config)


def _events(hypotheses: Hypotheses, config: ActivityConfig) -> Iterator[dict[str, Any]]:
    """By the user's first identifier in order, at noon, on the channel of their last purchase."""
    rows = hypotheses.rows
    subject, channel = min(row["identifier"] for row in rows.identifiers.collect()), _last_channel(rows)
    for n in hypotheses.numbers:
        if n == SILENCE:
            continue
        day = rows.as_of + timedelta(days=n)
        at = datetime.combine(day, time(12), ZoneInfo(config.time_zone))
        yield {
            "event_id": str(n),
            "source": "hypothesis",
            "event_type": "purchase",
            "event_at": at,
            "event_date": day,
            "event_month": day.replace(day=1),
            "ingested_at": at,
            "delivery_no": 0,
            "subject": f"{n}:{subject}",
            "channel": channel,
            "amount": hypotheses.amount,
        }


def _last_channel(rows: UserRows) -> str | None:
    bought = rows.tables["activity_days"].where("purchase_channel IS NOT NULL")
    last = bought.orderBy(F.col("event_date").desc(), "subject").first()
    return last["purchase_channel"] if last else None

"""The days of a user under hypotheses: silence, or one more purchase."""

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
from lifestage.platform.user_rows import Scope, UserFrames
from lifestage.users.activity.config import ActivityConfig
from lifestage.users.activity.days import build_activity_days, enrich_events


def assume_days(hypotheses: Hypotheses, config: ActivityConfig) -> dict[str, DataFrame]:
    """The subject-days of the user under each hypothesis: those up to as_of, and the day of the assumed purchase.

    The purchase has no product, so it adds no category.
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
    """The assumed purchases as events, with the columns that measures can use."""
    rows = hypotheses.rows
    events = [tuple(event.get(name) for name in EVENTS.names) for event in _events(hypotheses, config)]
    lookups = {name: rows.read(name).where("NOT is_ended") for name in config.lookups}
    return enrich_events(local_rows(rows.identifiers.sparkSession, events, EVENTS.schema), lookups, config)


def _events(hypotheses: Hypotheses, config: ActivityConfig) -> Iterator[dict[str, Any]]:
    """One purchase per hypothesis: by the user's least identifier, at noon, on the channel of the last purchase."""
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


def _last_channel(rows: UserFrames) -> str | None:
    purchases = rows.tables["activity_days"].where("purchase_channel IS NOT NULL")
    last = purchases.orderBy(F.col("event_date").desc(), "subject").first()
    return last["purchase_channel"] if last else None

"""What a user would be if they bought once more, or kept silent: their history and one assumption, on later dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lifestage.ingestion.events.tables import EVENTS
from lifestage.platform.config.configuration import Config
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.storage.contracts import Table
from lifestage.users.activity.config import ActivityConfig
from lifestage.users.activity.days import build_activity_days, enrich_events
from lifestage.users.features.build import add_profiles, build_features, build_state
from lifestage.users.features.categories import to_user_categories
from lifestage.users.features.config import FeaturesConfig

PURCHASE_DAYS = 30
SILENT = 0


@dataclass(frozen=True)
class History:
    """What is known of one user up to an as_of: days by subject, who is who (see resolve_users), the row of user_profiles."""

    activity: DataFrame
    categories: DataFrame
    users: DataFrame
    profile: DataFrame


@dataclass(frozen=True)
class Purchase:
    """What the user is assumed to buy once."""

    subject: str
    amount: Decimal
    channel: str | None


def hypothetical_features(
    history: History,
    purchase: Purchase | None,
    as_of: date,
    silent_days: int,
    norms: DataFrame,
    lookups: Mapping[str, DataFrame],
    config: Config,
    table: Table,
) -> DataFrame:
    """Rows of user_features of one user under each hypothesis, on the day it speaks of.

    Hypothesis 0 is silence: a row for each of the `silent_days` after as_of. Hypothesis n, 1 to 30, is one purchase n
    days after as_of, and its row is of that day. `user_id` is the number of the hypothesis as text.

    Args:
        history: the user's days up to as_of.
        purchase: what is bought; None for no hypothesis of it.
        as_of: the date whose population holds.
        silent_days: how long silence is followed.
        norms: norms of as_of, which hold on every later date.
        lookups: reference tables that activity joins.
        config: the project's.
        table: the contract of user_features.
    """
    numbers = [SILENT] if purchase is None else [*range(PURCHASE_DAYS + 1)]
    dates = _days_after(as_of, silent_days if purchase is None else max(silent_days, PURCHASE_DAYS))
    activity, categories = (
        _for_each(numbers, rows, "subject") for rows in (history.activity, history.categories)
    )
    users = _for_each(numbers, history.users, "identifier").withColumn("user_id", _number("identifier"))
    if purchase is not None:
        bought = _purchases(norms.sparkSession, purchase, as_of, lookups, config)
        activity = activity.unionByName(bought)
    # Each hypothesis speaks of few of the dates: what is not asked is dropped where users meet dates.
    asked = _is_asked(as_of, silent_days)
    held = held_on(norms, dates)
    baskets = to_user_categories(categories, users, dates).where(asked)
    prices = held.where("norm = 'unit_price'")
    state = build_state(activity, users, baskets, prices, dates, config.of(FeaturesConfig).catalogue).where(
        asked
    )
    # What is known of the user holds whatever they buy.
    profiles = state.select("user_id", "as_of").crossJoin(history.profile.drop("user_id", "as_of"))
    known = add_profiles(state, profiles, config.of(FeaturesConfig).catalogue)
    return build_features(known, held, config.of(FeaturesConfig), table)


def first_change(
    rows: Sequence[Mapping[str, Any]], name: str, now: Any, is_silent: bool
) -> dict[str, Any] | None:
    """The first day, and the new value, on which silence or else a purchase makes a result another one.

    Args:
        rows: results of the hypotheses, each with its number as user_id and its day as as_of.
        name: the result.
        now: what it is as of the date that the hypotheses begin at.
        is_silent: True for silence, False for one purchase.
    """
    asked = [row for row in rows if (row["user_id"] == str(SILENT)) == is_silent and row[name] != now]
    first = min(asked, key=lambda row: row["as_of"], default=None)
    return {"on": first["as_of"], "to": first[name]} if first else None


def _is_asked(as_of: date, silent_days: int) -> Column:
    """Silence is asked for on each of its days, a purchase on its own day."""
    number, days = F.col("user_id").cast("int"), F.datediff("as_of", F.lit(as_of))
    return (number == days) | ((number == SILENT) & (days <= silent_days))


def _days_after(as_of: date, n: int) -> list[date]:
    return [as_of + timedelta(days=k) for k in range(1, n + 1)]


def held_on(rows: DataFrame, dates: Sequence[date]) -> DataFrame:
    """Rows of one as_of, such as norms or cut points, as if they were of each of the dates."""
    return rows.drop("as_of").crossJoin(_dates(rows, dates))


def _dates(rows: DataFrame, dates: Sequence[date]) -> DataFrame:
    return F.broadcast(local_rows(rows.sparkSession, [(day,) for day in dates], "as_of date"))


def _for_each(numbers: Sequence[int], rows: DataFrame, identifier: str) -> DataFrame:
    """The rows once for each hypothesis, under an identifier of its own."""
    copies = local_rows(rows.sparkSession, [(n,) for n in numbers], "_number int")
    own = F.concat(F.col("_number").cast("string"), F.lit(":"), F.col(identifier))
    return rows.crossJoin(F.broadcast(copies)).withColumn(identifier, own).drop("_number")


def _number(identifier: str) -> Column:
    """The hypothesis that an identifier was made for."""
    return F.substring_index(identifier, ":", 1)


def _purchases(
    spark: SparkSession, purchase: Purchase, as_of: date, lookups: Mapping[str, DataFrame], config: Config
) -> DataFrame:
    """The subject-day of the purchase of each hypothesis, made from an event as any other."""
    zone = ZoneInfo(config.shared.business.time_zone)
    days = [(n, as_of + timedelta(days=n)) for n in range(1, PURCHASE_DAYS + 1)]
    events = [
        {
            "event_id": str(n),
            "source": "hypothesis",
            "event_type": "purchase",
            "event_at": datetime.combine(day, time(12), zone),
            "event_date": day,
            "event_month": day.replace(day=1),
            "ingested_at": datetime.combine(day, time(12), zone),
            "delivery_no": 0,
            "subject": f"{n}:{purchase.subject}",
            "channel": purchase.channel,
            "amount": purchase.amount,
        }
        for n, day in days
    ]
    rows = [tuple(event.get(name) for name in EVENTS.names) for event in events]
    enriched = enrich_events(local_rows(spark, rows, EVENTS.schema), lookups, config.of(ActivityConfig))
    return build_activity_days(enriched, config.of(ActivityConfig))

"""How much of revenue and visits is of people whom the business knows, with and without joined identifiers."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.storage.contracts import MONEY
from lifestage.platform.storage.store import literals

REACH_DAYS = 28
# Session and order numbers are unique within a source. An anonymous event without either is a visit of its own.
VISIT = (
    "coalesce(concat(source, ' session ', session_id), concat(source, ' order ', order_id), "
    "concat(subject, ' ', event_date), concat(source, ' event ', event_id))"
)


def resolve_users(identity_map: DataFrame, identity_past: DataFrame, as_of: date) -> DataFrame:
    """identifier, type and user_id as of a date: the map, with the users of identity_past where they differ."""
    past = identity_past.where(F.col("as_of") == F.lit(as_of))
    then = past.select("identifier", F.col("user_id").alias("then"))
    rows = identity_map.select("identifier", "type", "user_id").join(then, on="identifier", how="full")
    return rows.select("identifier", "type", F.coalesce("then", "user_id").alias("user_id"))


def measure_reach(
    events: DataFrame, users: DataFrame, known: Sequence[str], actions: Collection[str], as_of: date
) -> DataFrame:
    """One row: visits and net spend of the last REACH_DAYS days, alone and joined; no row without events.

    `alone` counts what names a known person itself, `joined` also what that person did under other identifiers. A visit
    is a session, an order, or a day of one identifier, with at least one action.

    Args:
        events: accepted events, anonymous ones too.
        users: identifier, type and user_id of that date; unique per identifier.
        known: types of identifiers by which the business knows a person.
        actions: types of events that a user does.
        as_of: the last day.
    """
    names_known = F.coalesce(F.arrays_overlap(F.map_keys("identifiers"), F.lit([*known])), F.lit(False))
    flagged = _keep_period(events, as_of).join(_of_known(users, known), on="subject", how="left").select(
        F.expr(VISIT).alias("visit"),
        F.col("event_type").isin(*actions).alias("is_action"),
        F.when(F.col("event_type").isin("purchase", "return"), F.col("amount")).alias("net"),
        names_known.alias("alone"),
        (names_known | F.col("is_known").isNotNull()).alias("joined"),
    )  # fmt: skip
    amounts = {"net": F.col("net"), "alone": F.when(F.col("alone"), F.col("net")), "joined": F.when(F.col("joined"), F.col("net"))}  # fmt: skip
    visits = flagged.groupBy("visit").agg(
        F.max("is_action").alias("is_visit"),
        F.max("alone").alias("is_alone"),
        F.max("joined").alias("is_joined"),
        *[F.coalesce(F.sum(amount), F.lit(0)).alias(name) for name, amount in amounts.items()],
    )
    totals = visits.agg(
        F.count_if("is_visit").alias("n_visits"),
        F.count_if(F.col("is_visit") & F.col("is_alone")).alias("n_visits_alone"),
        F.count_if(F.col("is_visit") & F.col("is_joined")).alias("n_visits_joined"),
        F.sum("net").cast(MONEY).alias("net_amount"),
        F.sum("alone").cast(MONEY).alias("net_amount_alone"),
        F.sum("joined").cast(MONEY).alias("net_amount_joined"),
    )
    found = totals.where("net_amount IS NOT NULL")
    return found.select(F.lit(as_of).alias("as_of"), F.lit(REACH_DAYS).alias("period_days"), *totals.columns)


def _keep_period(events: DataFrame, as_of: date) -> DataFrame:
    first = as_of - timedelta(days=REACH_DAYS - 1)
    months = literals(sorted({first.replace(day=1), as_of.replace(day=1)}))
    return events.where(f"event_month IN ({months})").where(
        F.col("event_date").between(F.lit(first), F.lit(as_of))
    )


def _of_known(users: DataFrame, known: Sequence[str]) -> DataFrame:
    """The identifiers of users whom the business knows by one of them."""
    known_users = users.where(F.col("type").isin(*known)).select("user_id").distinct()
    mine = users.join(known_users, on="user_id", how="left_semi")
    return mine.select(F.col("identifier").alias("subject"), F.lit(True).alias("is_known"))

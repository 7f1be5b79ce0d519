"""What joining the channels tells: who acts where, and how much of the business is of people it knows."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.activation.report.content import ChannelCount, Reach
from lifestage.platform.reporting.pivots import USERS, pivot
from lifestage.platform.storage.store import literals

MIX = "channel_mix_90d"
REACH_DAYS = 28
# Numbers of sessions and orders are those of a source. Nobody has no day: each event is a visit of its own.
VISIT = (
    "coalesce(concat(source, ' session ', session_id), concat(source, ' order ', order_id), "
    "concat(subject, ' ', event_date), concat(source, ' event ', event_id))"
)


def channel_counts(
    user_features: DataFrame, user_stages: DataFrame, user_value: DataFrame, as_of: date
) -> tuple[ChannelCount, ...]:
    """Users and spend by channel mix and stage; bounded by four mixes times the stages. Silent users have none."""
    of_date = F.col("as_of") == F.lit(as_of)
    rows = user_stages.where(of_date).select("user_id", "stage")
    mixes = user_features.where(of_date).select("user_id", MIX)
    spend = user_value.where(of_date).select(
        "user_id", F.coalesce("monetary_amount", F.lit(0)).alias("spend")
    )
    mixed = rows.join(mixes, on="user_id").join(spend, on="user_id", how="left")
    found = [
        ChannelCount(mix, stage, values[USERS], values["spend"])
        for (mix, stage), values in pivot(mixed, (MIX, "stage"), ("spend",)).items()
    ]
    return tuple(sorted(found, key=lambda count: (count.mix or "~", count.stage)))


def reach(
    events: DataFrame, identity_map: DataFrame, known: Sequence[str], actions: Collection[str], as_of: date
) -> Reach | None:
    """Revenue and visits of the last REACH_DAYS days, and how much of both is of people whom the business knows.

    Args:
        events: accepted events, anonymous ones too.
        identity_map: who is who on that day.
        known: types of identifiers by which it knows somebody.
        actions: types of events that somebody does.
        as_of: the last day.

    Returns:
        Totals; `alone` is what names somebody itself, `joined` also what a person did under other identifiers. A visit is
        a session, an order, or a day of one identifier. None where no identifiers are joined.
    """
    if identity_map.isEmpty():
        return None
    rows = _newest(events, as_of)
    by_name = F.coalesce(F.arrays_overlap(F.map_keys("identifiers"), F.lit([*known])), F.lit(False))
    flagged = rows.join(_of_known(identity_map, known), on="subject", how="left").select(
        F.expr(VISIT).alias("visit"),
        F.col("event_type").isin(*actions).alias("is_action"),
        F.when(F.col("event_type").isin("purchase", "return"), F.col("amount")).alias("net"),
        by_name.alias("alone"),
        (by_name | F.col("is_known").isNotNull()).alias("joined"),
    )
    net = [F.coalesce(F.sum(value), F.lit(0)).alias(name) for name, value in {
        "net": F.col("net"), "net_alone": F.when(F.col("alone"), F.col("net")),
        "net_joined": F.when(F.col("joined"), F.col("net")),
    }.items()]  # fmt: skip
    visits = flagged.groupBy("visit").agg(
        F.max("is_action").alias("is_visit"),
        F.max("alone").alias("alone"),
        F.max("joined").alias("joined"),
        *net,
    )
    row = visits.agg(
        F.count_if("is_visit"), F.count_if(F.col("is_visit") & F.col("alone")),
        F.count_if(F.col("is_visit") & F.col("joined")), F.sum("net"), F.sum("net_alone"), F.sum("net_joined"),
    ).collect()[0]  # fmt: skip
    return Reach(REACH_DAYS, *row) if row[3] is not None else None


def _newest(events: DataFrame, as_of: date) -> DataFrame:
    first = as_of - timedelta(days=REACH_DAYS - 1)
    months = literals(sorted({first.replace(day=1), as_of.replace(day=1)}))
    return events.where(f"event_month IN ({months})").where(
        F.col("event_date").between(F.lit(first), F.lit(as_of))
    )


def _of_known(identity_map: DataFrame, known: Sequence[str]) -> DataFrame:
    """Identifiers of users one of whose identifiers the business knows."""
    users = identity_map.where(F.col("type").isin(*known)).select("user_id").distinct()
    mine = identity_map.join(users, on="user_id", how="left_semi")
    return mine.select(F.col("identifier").alias("subject"), F.lit(True).alias("is_known"))

"""Aggregate events to subject-days: the measures of the catalogue, exact and mergeable."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.as_of_join import join_as_of
from lifestage.platform.storage.contracts import MONEY, QUANTITY
from lifestage.users.activity.config import ActivityConfig
from lifestage.users.activity.tables import CATEGORY_DAYS
from lifestage.users.catalogue.model import Aggregate, Measure

DAY = ("subject", "event_date", "event_month")


def enrich_events(events: DataFrame, lookups: Mapping[str, DataFrame], config: ActivityConfig) -> DataFrame:
    """Adds the columns that measures can use: is_action, is_new_product, local_hour, category and reference rows.

    Same grain; events without a subject are dropped.

    Args:
        events: accepted events.
        lookups: reference tables by name, unique per key and date.
        config: the keys of the lookups, and the expressions of category and is_new_product. By default the category is
            that of the event, else that of its product.

    Returns:
        The events, with a struct per lookup: its row as of event_date, NULL without a match. local_hour is the hour in
        the business time zone.
    """
    rows = events.where(F.col("subject").isNotNull())
    for name, on in config.lookups.items():
        rows = join_as_of(rows, lookups[name], name, on, "event_date")
    return rows.withColumns(
        {
            "category": F.expr(config.category),
            "is_action": F.col("event_type").isin(*config.actions),
            "is_new_product": F.coalesce(F.expr(config.is_new_product), F.lit(False)),
            "local_hour": F.hour(F.from_utc_timestamp("event_at", config.time_zone)),
        }
    )


def build_activity_days(enriched: DataFrame, config: ActivityConfig) -> DataFrame:
    """One row per subject and business date, with every measure of the catalogue.

    Without matching events, sums and counts are 0; min, max and distinct measures are NULL. Money and quantities are
    summed as whole minor units and cast back, so sums are exact. Distinct measures are theta sketches: exact up to
    4,096 values, an estimate beyond.
    """
    measures = config.catalogue.measures
    plain = [
        _measure_column(m).alias(name)
        for name, m in measures.items()
        if m.aggregate is not Aggregate.DISTINCT
    ]
    days = enriched.groupBy(*DAY).agg(*plain)
    sketches = {name: m for name, m in measures.items() if m.aggregate is Aggregate.DISTINCT}
    # Sketches are aggregated apart: an object aggregate beside wide sums slows all of them down.
    return _add_sketches(days, enriched, sketches) if sketches else days


def build_category_days(enriched: DataFrame) -> DataFrame:
    """One row per subject, business date and category with purchases or returns.

    An unknown category is a row with NULL. Amounts and quantities are exact.
    """
    is_purchase = F.col("event_type") == "purchase"
    trades = enriched.where(F.col("event_type").isin("purchase", "return"))
    days = trades.groupBy(*DAY, "category").agg(
        F.count_if(is_purchase).alias("n_purchases"),
        _exact_sum("CASE WHEN event_type = 'purchase' THEN quantity END", 3).cast(QUANTITY).alias("quantity"),
        _exact_sum("CASE WHEN event_type = 'purchase' THEN amount END", 2).cast(MONEY).alias("gross_amount"),
        _exact_sum("amount", 2).cast(MONEY).alias("net_amount"),
    )
    return days.select(*CATEGORY_DAYS.names)


def _measure_column(measure: Measure) -> Column:
    condition = f"({measure.filter})" if measure.filter else "true"
    value = f"CASE WHEN {condition} THEN {measure.expression or 1} END"
    match measure.aggregate:
        case Aggregate.COUNT:
            return F.count_if(F.expr(condition))
        case Aggregate.SUM:
            scale = getattr(measure.type, "scale", 0)
            return _exact_sum(value, scale).cast(measure.type)
        case Aggregate.MIN:
            return F.min(F.expr(value)).cast(measure.type)
        case _:
            return F.max(F.expr(value)).cast(measure.type)


def _exact_sum(value: str, scale: int) -> Column:
    """Sums whole minor units as bigint, because decimal sums leave Spark's fast path; 0 without rows."""
    total = F.coalesce(F.sum(F.expr(f"CAST(({value}) * {10**scale} AS BIGINT)")), F.lit(0))
    return total / F.lit(10**scale).cast("decimal(4,0)") if scale else total


def _add_sketches(days: DataFrame, enriched: DataFrame, measures: Mapping[str, Measure]) -> DataFrame:
    values = {
        name: F.expr(f"CASE WHEN {m.filter or 'true'} THEN CAST({m.expression} AS STRING) END")
        for name, m in measures.items()
    }
    rows = enriched.select(*DAY, *[value.alias(name) for name, value in values.items()])
    rows = rows.where(F.coalesce(*[F.col(name) for name in values]).isNotNull())
    sketches = [F.when(F.count(name) > 0, F.theta_sketch_agg(name)).alias(name) for name in values]
    return days.join(rows.groupBy(*DAY).agg(*sketches), on=list(DAY), how="left")

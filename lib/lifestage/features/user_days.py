"""Subject-days to user-days: all days of a user's subjects merge before anything is decided about a day."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.tables.catalogue import Aggregate, Catalogue, DayMeasure, Measure, Unit

USER_DAY = ("user_id", "event_date")
MINOR_DIGITS = {Unit.MONEY: 2, Unit.UNITS: 3}


def to_user_days(activity_days: DataFrame, identity_map: DataFrame, catalogue: Catalogue) -> DataFrame:
    """One row per user and business date: merged measures, and what is decided on the day as 0 or 1.

    Every subject-day is kept once; identity_map is unique per identifier. Money and quantities are whole minor units
    from here on. The repartition by user serves this grouping and every one by user after it.
    """
    users = identity_map.select(F.col("identifier").alias("subject"), "user_id", "status")
    days = activity_days.join(users, on="subject", how="inner").repartition("user_id")
    merged = [_merged(name, measure).alias(name) for name, measure in catalogue.measures.items()]
    user_days = days.groupBy(*USER_DAY).agg(F.min("status").alias("status"), *merged)
    decided = {name: _decided(day) for name, day in catalogue.days.items()}
    return user_days.withColumns(decided).withColumns(
        {name: _in_minor_units(name, measure) for name, measure in catalogue.measures.items() if _is_scaled(measure)}
    )


def digits_of(source: Measure | DayMeasure) -> int:
    """Decimal digits that its whole minor units stand for."""
    return MINOR_DIGITS.get(source.unit, 0)


def _merged(name: str, measure: Measure) -> Column:
    match measure.aggregate:
        case Aggregate.SUM | Aggregate.COUNT:
            return F.sum(name).cast(measure.type)
        case Aggregate.MIN:
            return F.min(name)
        case Aggregate.MAX:
            return F.max(name)
        case Aggregate.DISTINCT:
            # NULL sketches are skipped; a day without any value stays NULL.
            return F.when(F.count(name) > 0, F.theta_union_agg(name))


def _decided(day: DayMeasure) -> Column:
    """A condition becomes 0 or 1 (NULL counts as 0), an amount whole minor units."""
    value = F.expr(day.expression)
    if day.unit is Unit.MONEY:
        return (F.coalesce(value, F.lit(0)) * 100).cast("bigint")
    return F.coalesce(value.cast("bigint"), F.lit(0))


def _is_scaled(measure: Measure) -> bool:
    return measure.aggregate is not Aggregate.DISTINCT and measure.unit in MINOR_DIGITS


def _in_minor_units(name: str, measure: Measure) -> Column:
    return (F.col(name) * 10 ** MINOR_DIGITS[measure.unit]).cast("bigint")

"""Merge subject-days to user-days, before conditions such as `occasions` are evaluated on a day."""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.platform.units import Unit
from lifestage.users.catalogue.model import (
    Aggregate,
    Catalogue,
    DayMeasure,
    Measure,
    is_distinct,
    type_of,
)
from lifestage.users.resolution import UserStatus, add_user

USER_DAY = ("user_id", "only_on", "event_date")
MINOR_DIGITS = {Unit.MONEY: 2, Unit.UNITS: 3}


def to_user_days(activity_days: DataFrame, users: DataFrame, catalogue: Catalogue) -> DataFrame:
    """One row per user, only_on and business date: merged measures, day measures and dates of the catalogue.

    A user who is not the same on all dates has rows for each date (see resolve_users). A date column holds event_date
    where its condition holds, else NULL. Conditions see money and quantities as declared; the result has them in whole
    minor units. Distinct measures are left out (see to_nonadditive_days): in the same aggregation, they would take the
    sums off Spark's fast path. The one repartition by user also serves later groupings by user.

    Returns:
        user_id, only_on, event_date, is_shared, and the columns of the catalogue.
    """
    days = add_user(activity_days, users).repartition("user_id")
    plain = {name: measure for name, measure in catalogue.measures.items() if not is_distinct(measure)}
    merged = [_merge_measure(name, measure).alias(name) for name, measure in plain.items()]
    is_shared = F.min(F.col("status") == F.lit(str(UserStatus.SHARED))).alias("is_shared")
    user_days = days.groupBy(*USER_DAY).agg(is_shared, *merged)
    # A condition becomes 0 or 1, an amount keeps its type; NULL counts as 0.
    day_measures = {
        name: F.coalesce(F.expr(day.expression).cast(type_of(day.unit)), F.lit(0))
        for name, day in catalogue.days.items()
    }
    dates = {name: F.when(F.expr(mark.when), F.col("event_date")) for name, mark in catalogue.dates.items()}
    sources: dict[str, Measure | DayMeasure] = {**plain, **catalogue.days}
    minor_units = {
        name: (F.col(name) * F.lit(int(10 ** digits_of(source)))).cast("bigint")
        for name, source in sources.items()
        if digits_of(source) > 0
    }
    return user_days.withColumns(day_measures).withColumns(dates).withColumns(minor_units)


def to_nonadditive_days(activity_days: DataFrame, users: DataFrame, catalogue: Catalogue) -> DataFrame:
    """One row per subject-day with a value of a measure that is no sum: the user, event_date and these measures.

    The values of a user merge later, in any order.
    """
    names = [name for name, measure in catalogue.measures.items() if not is_additive(measure)]
    has_value = reduce(Column.__or__, [F.col(name).isNotNull() for name in names], F.lit(False))
    days = activity_days.where(has_value).select("subject", "event_date", *names)
    return add_user(days, users).drop("subject", "status")


def is_additive(source: Measure | DayMeasure) -> bool:
    """Whether values of the measure add up over days: sums, counts, and whatever is computed by day."""
    return isinstance(source, DayMeasure) or source.aggregate in (Aggregate.SUM, Aggregate.COUNT)


def digits_of(source: Measure | DayMeasure) -> int:
    """Decimal digits of the measure's minor units: 2 for money, 3 for units, else 0."""
    return MINOR_DIGITS.get(source.unit, 0)


def _merge_measure(name: str, measure: Measure) -> Column:
    match measure.aggregate:
        case Aggregate.SUM | Aggregate.COUNT:
            return F.sum(name).cast(measure.type)
        case Aggregate.MIN:
            return F.min(name)
        case _:
            return F.max(name)

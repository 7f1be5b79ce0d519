"""Subject-days to user-days: all days of a user's subjects merge before anything is decided about a day."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.users.catalogue.model import (
    Aggregate,
    Catalogue,
    DayMeasure,
    Measure,
    Unit,
    is_distinct,
    type_of,
)
from lifestage.users.resolution import with_users

USER_DAY = ("user_id", "only_on", "event_date")
MINOR_DIGITS = {Unit.MONEY: 2, Unit.UNITS: 3}


def to_user_days(activity_days: DataFrame, users: DataFrame, catalogue: Catalogue) -> DataFrame:
    """One row per user and business date: merged measures, what is decided on the day, and the date where a mark holds.

    Sketches are not among them: beside sums they would take those off the fast path (see to_user_sketches).

    Every subject-day is kept once for each date on which its user is another (see users_on). Conditions see money and
    quantities as they are declared; from here on these are whole minor units. The repartition by user serves this
    grouping and every one by user after it.
    """
    days = with_users(activity_days, users).repartition("user_id")
    plain = {name: measure for name, measure in catalogue.measures.items() if not is_distinct(measure)}
    merged = [_merged(name, measure).alias(name) for name, measure in plain.items()]
    user_days = days.groupBy(*USER_DAY).agg(F.min("status").alias("status"), *merged)
    decided = {name: _decided(day) for name, day in catalogue.days.items()}
    marked = {name: F.when(F.expr(mark.when), F.col("event_date")) for name, mark in catalogue.dates.items()}
    sources: dict[str, Measure | DayMeasure] = {**plain, **catalogue.days}
    scaled = {name: _in_minor_units(name, source) for name, source in sources.items() if _is_scaled(source)}
    return user_days.withColumns(decided).withColumns(marked).withColumns(scaled)


def to_user_sketches(activity_days: DataFrame, users: DataFrame, catalogue: Catalogue) -> DataFrame:
    """Users, event_date and the sketches of each subject-day that has one: not merged, their order is of no account."""
    names = [name for name, measure in catalogue.measures.items() if is_distinct(measure)]
    days = activity_days.where(F.coalesce(*names, F.lit(None)).isNotNull())
    return with_users(days.select("subject", "event_date", *names), users).drop("subject", "status")


def digits_of(source: Measure | DayMeasure) -> int:
    """Decimal digits that its whole minor units stand for."""
    return MINOR_DIGITS.get(source.unit, 0)


def _merged(name: str, measure: Measure) -> Column:
    match measure.aggregate:
        case Aggregate.SUM | Aggregate.COUNT:
            return F.sum(name).cast(measure.type)
        case Aggregate.MIN:
            return F.min(name)
        case _:
            return F.max(name)


def _decided(day: DayMeasure) -> Column:
    """A condition becomes 0 or 1, an amount keeps its type; NULL counts as 0."""
    return F.coalesce(F.expr(day.expression).cast(type_of(day.unit)), F.lit(0))


def _is_scaled(source: Measure | DayMeasure) -> bool:
    return digits_of(source) > 0


def _in_minor_units(name: str, source: Measure | DayMeasure) -> Column:
    return (F.col(name) * F.lit(int(10 ** digits_of(source)))).cast("bigint")

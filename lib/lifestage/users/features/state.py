"""Build the state of users as of one or several dates: all that features need of their history."""

from collections.abc import Sequence
from datetime import date
from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.users.catalogue.model import Aggregate, Catalogue, Window, is_distinct, type_of
from lifestage.users.features.prefix_sums import Plan, aggregate_batches
from lifestage.users.features.user_days import USER_DAY, digits_of, is_additive
from lifestage.users.features.windows import USER_AS_OF, is_inside, join_as_of_dates
from lifestage.users.resolution import UserStatus

# Columns of user-days that are neither a measure with a window nor a date.
HISTORY = ("is_shared", "occasions", "purchase_channel")


def rebuild_state(
    user_days: DataFrame, nonadditive_days: DataFrame, as_of_dates: Sequence[date], catalogue: Catalogue
) -> DataFrame:
    """One row per user and as_of, for every user with a day up to as_of: windows, dates and occasion days.

    Without days in a window a sum or distinct count is 0, a min or max NULL. Each date gets the rows that it would get
    alone.

    Args:
        user_days: see to_user_days. All days of a user are in one partition.
        nonadditive_days: see to_nonadditive_days.
        as_of_dates: dates to build.
        catalogue: windows and dates.
    """
    windows = additive_windows(catalogue)
    plan = Plan(
        tuple(as_of_dates), tuple(windows), {name: mark.which for name, mark in catalogue.dates.items()}
    )
    needed = dict.fromkeys((*USER_DAY, *HISTORY, *catalogue.dates, *[window.measure for window in windows]))
    days = user_days.select(*needed).sortWithinPartitions(*USER_DAY)
    # Arrow, because a sum in SQL reads all days again for each window and date.
    rows = days.mapInArrow(partial(aggregate_batches, plan=plan), _schema_of(plan))
    state = rows.withColumns(
        {
            "status": status_of(F.col("is_shared")),
            **{window.name: to_unit(F.col(window.name), catalogue, window) for window in windows},
        }
    ).drop("is_shared")
    return add_nonadditive_windows(state, nonadditive_days, as_of_dates, catalogue)


def _schema_of(plan: Plan) -> T.StructType:
    fields = {
        "user_id": T.StringType(),
        "as_of": T.DateType(),
        "is_shared": T.BooleanType(),
        "occasion_days": T.ArrayType(T.DateType()),
        "first_purchase_channel": T.StringType(),
        **dict.fromkeys(plan.dates, T.DateType()),
        **{window.name: T.LongType() for window in plan.windows},
    }
    return T.StructType([T.StructField(name, kind) for name, kind in fields.items()])


def additive_windows(catalogue: Catalogue) -> list[Window]:
    """The windows that sum a measure or count days."""
    return [window for window in catalogue.all_windows() if is_additive(catalogue.source_of(window))]


def nonadditive_windows(catalogue: Catalogue) -> list[Window]:
    """The windows with a least or greatest value, or a count of distinct values."""
    return [window for window in catalogue.all_windows() if not is_additive(catalogue.source_of(window))]


def to_unit(total: Column, catalogue: Catalogue, window: Window) -> Column:
    """A sum in the unit of its measure; 0 without rows. Sums of money and quantities are in minor units."""
    source = catalogue.source_of(window)
    digits = digits_of(source)
    total = F.coalesce(total, F.lit(0))
    return (total / F.lit(10**digits).cast("decimal(4,0)")).cast(type_of(source.unit)) if digits else total


def status_of(is_shared: Column) -> Column:
    """The status of a user."""
    return F.when(is_shared, F.lit(str(UserStatus.SHARED))).otherwise(F.lit(str(UserStatus.ACTIVE)))


def add_nonadditive_windows(
    state: DataFrame, nonadditive_days: DataFrame, as_of_dates: Sequence[date], catalogue: Catalogue
) -> DataFrame:
    """Adds the windows that are no sums. Without days in a window, a distinct count is 0, a min or max NULL."""
    windows = nonadditive_windows(catalogue)
    if not windows:
        return state
    days = join_as_of_dates(nonadditive_days, as_of_dates)
    values = days.groupBy(*USER_AS_OF).agg(
        *[_aggregate(catalogue, window).alias(window.name) for window in windows]
    )
    counts = [window.name for window in windows if is_distinct(catalogue.source_of(window))]
    return state.join(values, on=list(USER_AS_OF), how="left").fillna(0, counts)


def _aggregate(catalogue: Catalogue, window: Window) -> Column:
    source = catalogue.source_of(window)
    value = F.when(is_inside(window), F.col(window.measure))
    if is_distinct(source):
        return F.theta_sketch_estimate(F.theta_union_agg(value))
    total = F.min(value) if source.aggregate is Aggregate.MIN else F.max(value)  # type: ignore[union-attr]
    return total.cast(type_of(source.unit))

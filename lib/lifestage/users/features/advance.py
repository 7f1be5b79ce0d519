"""Advance the state of users to a later date by the days that enter or leave a window.

Between two dates a sum changes only by these days, so the cost follows the users who were active on them, whatever the
length of history.
"""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import materialize
from lifestage.users.catalogue.model import Catalogue
from lifestage.users.features.state import additive_windows, status_of, to_unit
from lifestage.users.features.windows import move_of


def advance_state(
    before: DataFrame, user_days: DataFrame, since: date, as_of: date, catalogue: Catalogue
) -> DataFrame:
    """The state as of a later date, without the windows that are no sums, and with category_totals unchanged.

    Equal, row for row, to the state that is rebuilt from all user-days, if no day up to `since` has changed.

    Args:
        before: one row per user, the state as of `since` (see rebuild_state).
        user_days: at least the user-days that enter or leave a window (see is_moved), of all users of `before`
            and of new ones; at most one row per user and day.
        since: the date of `before`.
        as_of: a later date, or the same.
        catalogue: windows and dates.
    """
    sums = {window.name: window for window in additive_windows(catalogue)}
    is_new = (F.col("event_date") > F.lit(since)) & (F.col("event_date") <= F.lit(as_of))
    moves = user_days.groupBy("user_id").agg(
        F.min("is_shared").alias("_is_shared"),
        *[
            to_unit(
                F.sum(F.col(each.measure) * move_of(each.days, each.shift, since, as_of)), catalogue, each
            ).alias(f"_{name}")
            for name, each in sums.items()
        ],
    )
    new_days = user_days.where(is_new)
    dates = new_days.groupBy("user_id").agg(
        *[column.alias(f"_{name}") for name, column in _dates(catalogue).items()]
    )
    history = _to_history(new_days).select(
        "user_id",
        F.col("occasion_days").alias("_occasion_days"),
        F.col("first_purchase.purchase_channel").alias("_channel"),
    )
    # Used twice. It is small: only users with a day that enters or leaves a window.
    changes = materialize(moves.join(dates, on="user_id", how="left").join(history, on="user_id", how="left"))
    new_users = changes.join(before.select("user_id"), on="user_id", how="left_anti")
    nothing = [
        F.lit(None).cast(field.dataType).alias(field.name)
        for field in before.schema
        if field.name != "user_id"
    ]
    rows = before.join(changes, on="user_id", how="left").unionByName(new_users.select("*", *nothing))
    no_days = F.array().cast("array<date>")
    return rows.withColumns(
        {
            "status": F.coalesce("status", status_of(F.col("_is_shared"))),
            "first_purchase_channel": F.coalesce("first_purchase_channel", "_channel"),
            "occasion_days": F.concat(
                F.coalesce("occasion_days", no_days), F.coalesce("_occasion_days", no_days)
            ),
            **{name: _later(name, mark.which) for name, mark in catalogue.dates.items()},
            **{name: _add(name).cast(before.schema[name].dataType) for name in sums},
        }
    ).select(*before.columns)


def _dates(catalogue: Catalogue) -> Mapping[str, Column]:
    """The first or last day of each date of the catalogue, as an aggregate of user-days."""
    return {
        name: F.min(name) if mark.which == "first" else F.max(name) for name, mark in catalogue.dates.items()
    }


def _to_history(user_days: DataFrame) -> DataFrame:
    """One row per user with an occasion or a known purchase channel.

    Returns:
        user_id, occasion_days (ascending), and first_purchase: event_date and purchase_channel of the first day
        with a channel.
    """
    is_occasion = F.col("occasions") > 0
    bought = F.when(F.col("purchase_channel").isNotNull(), F.struct("event_date", F.col("purchase_channel")))
    days = user_days.where(is_occasion | F.col("purchase_channel").isNotNull())
    return days.groupBy("user_id").agg(
        F.array_sort(F.collect_list(F.when(is_occasion, F.col("event_date")))).alias("occasion_days"),
        F.min(bought).alias("first_purchase"),
    )


def _add(name: str) -> Column:
    return F.coalesce(name, F.lit(0)) + F.coalesce(f"_{name}", F.lit(0))


def _later(name: str, which: str) -> Column:
    # Both skip NULL.
    return F.least(name, f"_{name}") if which == "first" else F.greatest(name, f"_{name}")

"""Build the tables of the features step: state, norms and features of one or several dates."""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.platform.storage.contracts import Table
from lifestage.users.catalogue.model import Catalogue
from lifestage.users.features.advance import advance_state
from lifestage.users.features.categories import (
    SPAN_DAYS,
    add_category_columns,
    advance_category_totals,
    build_unit_prices,
    fill_category_totals,
    in_span,
    rebuild_category_totals,
    to_user_category_days,
)
from lifestage.users.features.config import FeaturesConfig, Rhythm
from lifestage.users.features.mapping import add_features
from lifestage.users.features.rhythm import add_gaps, add_rhythm, build_cycle_norms, build_spend_norms
from lifestage.users.features.state import (
    add_nonadditive_windows,
    additive_windows,
    nonadditive_windows,
    rebuild_state,
)
from lifestage.users.features.user_days import to_nonadditive_days, to_user_days
from lifestage.users.features.windows import is_moved


def build_state(
    activity: DataFrame,
    categories: DataFrame,
    users: DataFrame,
    as_of_dates: Sequence[date],
    catalogue: Catalogue,
) -> DataFrame:
    """One row per user and as_of: the history that features need (see rebuild_state), and category_totals.

    Args:
        activity: subject-days up to the newest date.
        categories: subject-days by category.
        users: the user of each subject on these dates (see resolve_users).
        as_of_dates: dates to build.
        catalogue: measures, windows and dates.
    """
    user_days = to_user_days(activity, users, catalogue)
    nonadditive_days = to_nonadditive_days(activity, users, catalogue)
    state = rebuild_state(user_days, nonadditive_days, as_of_dates, catalogue)
    category_days = to_user_category_days(categories.where(in_span(as_of_dates)), users)
    totals = rebuild_category_totals(category_days, as_of_dates)
    return state.join(totals, on=["user_id", "as_of"], how="left").withColumn(
        "category_totals", fill_category_totals()
    )


def build_later_state(
    before: DataFrame,
    activity: DataFrame,
    categories: DataFrame,
    users: DataFrame,
    since: date,
    as_of: date,
    catalogue: Catalogue,
) -> DataFrame:
    """The state as of a later date, from the state before and the days that enter or leave a window.

    Args:
        before: the state as of `since`, of the users whose days up to `since` are unchanged.
        activity: subject-days of these users and of new ones, up to as_of.
        categories: subject-days by category of the same users.
        users: the user of each subject as of both dates.
        since: the date of `before`.
        as_of: a later date, or the same.
        catalogue: measures, windows and dates.
    """
    spans = [(window.days, window.shift) for window in additive_windows(catalogue)]
    user_days = to_user_days(activity.where(is_moved(spans, since, as_of)), users, catalogue)
    others = [window.name for window in nonadditive_windows(catalogue)]
    state = advance_state(before.drop(*others), user_days, since, as_of, catalogue)
    category_days = categories.where(is_moved([(SPAN_DAYS, 0)], since, as_of))
    totals = advance_category_totals(before, to_user_category_days(category_days, users), since, as_of)
    state = state.join(totals.withColumnRenamed("category_totals", "_moved"), on="user_id", how="left")
    state = state.withColumns(
        {"category_totals": F.coalesce("_moved", fill_category_totals()), "as_of": F.lit(as_of)}
    ).drop("_moved")
    # Their values cannot be subtracted, so they are aggregated anew, from the days of the longest of these windows.
    nonadditive_days = to_nonadditive_days(
        activity.where(_in_nonadditive_windows(as_of, catalogue)), users, catalogue
    )
    return add_nonadditive_windows(state, nonadditive_days, [as_of], catalogue)


def _in_nonadditive_windows(as_of: date, catalogue: Catalogue) -> Column:
    """Whether a window that is no sum may hold event_date."""
    spans = [(window.days, window.shift) for window in nonadditive_windows(catalogue)]
    if any(days is None for days, _ in spans):
        return F.lit(True)
    longest = max((days + shift for days, shift in spans if days is not None), default=0)
    return F.col("event_date") > F.lit(as_of - timedelta(days=longest))


def build_norms(state: DataFrame, rhythm: Rhythm) -> DataFrame:
    """Rows of norms: cycles, median spend and unit prices of the population as of each date.

    At most one row per date, norm, and channel or category.
    """
    cycles, spend = build_cycle_norms(add_gaps(state), rhythm), build_spend_norms(state)
    return cycles.unionByName(spend).unionByName(build_unit_prices(state))


def add_profiles(state: DataFrame, profiles: DataFrame, catalogue: Catalogue) -> DataFrame:
    """Adds the profile attributes of the same user and as_of; NULL without a profile."""
    if not catalogue.profile:
        return state
    attributes = profiles.select("user_id", "as_of", *catalogue.profile)
    return state.join(attributes, on=["user_id", "as_of"], how="left")


def build_features(state: DataFrame, norms: DataFrame, config: FeaturesConfig, table: Table) -> DataFrame:
    """Rows of user_features, one per row of `state`, computed row by row without a shuffle.

    Args:
        state: state of the users, with profile attributes (see build_state, add_profiles).
        norms: norms of the same dates.
        config: catalogue and rhythm.
        table: the contract of user_features.
    """
    rows = add_rhythm(add_gaps(add_category_columns(state, norms)), norms, config)
    return add_features(rows, config.catalogue, table)

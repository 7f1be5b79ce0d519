"""What the step computes, table by table: state, norms and features of some dates."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame

from lifestage.platform.storage.contracts import Table
from lifestage.users.catalogue.model import Catalogue
from lifestage.users.features.categories import to_category_state, unit_prices
from lifestage.users.features.config import FeaturesConfig, Rhythm
from lifestage.users.features.mapping import add_features
from lifestage.users.features.rhythm import add_gaps, add_rhythm, cycle_norms, spend_norms
from lifestage.users.features.state import rebuild_state
from lifestage.users.features.user_days import to_user_days, to_user_sketches


def build_state(
    activity: DataFrame,
    users: DataFrame,
    categories: DataFrame,
    prices: DataFrame,
    as_of_dates: Sequence[date],
    catalogue: Catalogue,
) -> DataFrame:
    """One row per user and as_of: what features need of a user's history (see rebuild_state), and their gaps.

    Args:
        activity: subject-days up to the newest date.
        users: the user of each subject on these dates (see users_on).
        categories: what users buy on these dates (see to_user_categories).
        prices: what a unit of each category costs on these dates (see unit_prices).
        as_of_dates: the dates.
        catalogue: what is measured.
    """
    user_days = to_user_days(activity, users, catalogue)
    sketches = to_user_sketches(activity, users, catalogue)
    state = rebuild_state(user_days, sketches, as_of_dates, catalogue)
    bought = to_category_state(categories, prices)
    return add_gaps(state.join(bought, on=["user_id", "as_of"], how="left"))


def build_norms(state: DataFrame, categories: DataFrame, rhythm: Rhythm) -> DataFrame:
    """What is usual in the population as of each date: rows of norms, bounded by channels and categories."""
    return cycle_norms(state, rhythm).unionByName(spend_norms(state)).unionByName(unit_prices(categories))


def add_profiles(state: DataFrame, profiles: DataFrame, catalogue: Catalogue) -> DataFrame:
    """State with the attributes of the profile of the same user and date; NULL without one."""
    if not catalogue.profile:
        return state
    known = profiles.select("user_id", "as_of", *catalogue.profile)
    return state.join(known, on=["user_id", "as_of"], how="left")


def build_features(state: DataFrame, norms: DataFrame, config: FeaturesConfig, table: Table) -> DataFrame:
    """Rows of user_features from state, with profiles, and norms of the same dates: row by row, without a shuffle."""
    return add_features(add_rhythm(state, norms, config), config.catalogue, table)

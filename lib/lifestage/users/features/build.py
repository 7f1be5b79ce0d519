"""Build the tables of the features step: state, norms and features of one or several dates."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame

from lifestage.platform.storage.contracts import Table
from lifestage.users.catalogue.model import Catalogue
from lifestage.users.features.categories import build_unit_prices, to_category_state
from lifestage.users.features.config import FeaturesConfig, Rhythm
from lifestage.users.features.mapping import add_features
from lifestage.users.features.rhythm import add_gaps, add_rhythm, build_cycle_norms, build_spend_norms
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
    """One row per user and as_of: the history that features need (see rebuild_state), and the gaps between occasions.

    Args:
        activity: subject-days up to the newest date.
        users: the user of each subject on these dates (see resolve_users).
        categories: purchases by user, date and category (see to_user_categories).
        prices: unit prices by date and category (see build_unit_prices).
        as_of_dates: dates to build.
        catalogue: measures, windows and dates.
    """
    user_days = to_user_days(activity, users, catalogue)
    sketches = to_user_sketches(activity, users, catalogue)
    state = rebuild_state(user_days, sketches, as_of_dates, catalogue)
    category_state = to_category_state(categories, prices)
    return add_gaps(state.join(category_state, on=["user_id", "as_of"], how="left"))


def build_norms(state: DataFrame, categories: DataFrame, rhythm: Rhythm) -> DataFrame:
    """Rows of norms: cycles, median spend and unit prices of the population as of each date.

    At most one row per date, norm, and channel or category.
    """
    cycles, spend = build_cycle_norms(state, rhythm), build_spend_norms(state)
    return cycles.unionByName(spend).unionByName(build_unit_prices(categories))


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
    return add_features(add_rhythm(state, norms, config), config.catalogue, table)

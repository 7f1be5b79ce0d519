"""Build state, norms and features from activity, for one date or several in one pass."""

from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.errors import NoDataError
from lifestage.platform.job import Job
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.users.features.build import add_profiles, build_features, build_norms, build_state
from lifestage.users.features.categories import build_unit_prices, to_user_categories
from lifestage.users.features.config import FeaturesConfig
from lifestage.users.resolution import resolve_users


def run(job: Job, config: FeaturesConfig) -> None:
    """Rebuild state, norms and features of the run's dates.

    user_state holds the newest date ever built. A run of older dates leaves it unchanged.

    Raises:
        NoDataError: where there is no activity up to as_of.
    """
    activity = job.read("activity_days").where(F.col("event_date") <= job.run.as_of)
    # Persisted, because several tables read them. Both have rows by user and date, far fewer than the days they come from.
    dates = job.run.as_of_dates
    users = resolve_users(job.read("identity_map"), job.read("identity_past"), dates)
    categories = to_user_categories(job.read("category_days"), users, dates).persist()
    prices = build_unit_prices(categories)
    state = build_state(activity, users, categories, prices, dates, config.catalogue).persist()
    try:
        if state.isEmpty():
            raise NoDataError(
                f"there is no activity up to {job.run.as_of}: ingest a source first, or choose a later --as-of"
            )
        run_in_parallel(
            [partial(_write_features, job, state, categories, config), partial(_write_state, job, state)]
        )
    finally:
        state.unpersist()
        categories.unpersist()


def _write_features(job: Job, state: DataFrame, categories: DataFrame, config: FeaturesConfig) -> None:
    job.write_as_of("norms", build_norms(state, categories, config.rhythm))
    norms = job.read("norms").where(F.col("as_of").isin(*job.run.as_of_dates))
    profiles = job.read("user_profiles").where(F.col("as_of").isin(*job.run.as_of_dates))
    with_profiles = add_profiles(state, profiles, config.catalogue)
    features = build_features(with_profiles, norms, config, job.table("user_features"))
    delivery_no = job.progress("activity_days").get("delivery_no")
    job.write_as_of("user_features", features, meaning=config.meaning, delivery_no=delivery_no)


def _write_state(job: Job, state: DataFrame) -> None:
    recorded = str(job.progress("user_state").get("as_of", ""))
    if str(job.run.as_of) >= recorded:
        newest = state.where(F.col("as_of") == F.lit(job.run.as_of))
        job.replace_all("user_state", newest.select(*job.table("user_state").names), as_of=str(job.run.as_of))

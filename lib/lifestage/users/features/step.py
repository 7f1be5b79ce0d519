"""Activity to features, for one date or several in one pass."""

from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.errors import NoDataError
from lifestage.platform.job import Job
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.users.features.build import add_profiles, build_features, build_norms, build_state
from lifestage.users.features.categories import to_user_categories, unit_prices
from lifestage.users.features.config import FeaturesConfig
from lifestage.users.resolution import users_on


def run(job: Job, config: FeaturesConfig) -> None:
    """Rebuild state, norms and features of the run's dates from activity.

    user_state holds the newest date ever built; older dates are computed without touching it.
    """
    activity = job.read("activity_days").where(F.col("event_date") <= job.run.as_of)
    # Prices, norms and state read the categories, norms and features read the state: per user and date, both are
    # small beside the days that they are built from.
    dates = job.run.as_of_dates
    users = users_on(job.read("identity_map"), job.read("identity_past"), dates)
    categories = to_user_categories(job.read("category_days"), users, dates).persist()
    prices = unit_prices(categories)
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
    known = add_profiles(state, profiles, config.catalogue)
    features = build_features(known, norms, config, job.table("user_features"))
    delivery_no = job.progress("activity_days").get("delivery_no")
    job.write_as_of("user_features", features, meaning=config.meaning, delivery_no=delivery_no)


def _write_state(job: Job, state: DataFrame) -> None:
    recorded = str(job.progress("user_state").get("as_of", ""))
    if str(job.run.as_of) >= recorded:
        newest = state.where(F.col("as_of") == F.lit(job.run.as_of))
        job.replace_all("user_state", newest.select(*job.table("user_state").names), as_of=str(job.run.as_of))

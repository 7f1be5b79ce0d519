"""Build state, norms and features from activity, for one date or several in one pass."""

from collections.abc import Mapping
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.errors import NoDataError
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import checkpoint
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.users.features.build import (
    add_profiles,
    build_features,
    build_later_state,
    build_norms,
    build_state,
)
from lifestage.users.features.changes import StoredState, find_stored_state, state_progress
from lifestage.users.features.config import FeaturesConfig
from lifestage.users.resolution import resolve_users


def run(job: Job, config: FeaturesConfig) -> None:
    """Build state, norms and features of the run's dates.

    user_state holds the newest date ever built. The next run advances it, or rebuilds it where it cannot (see
    find_stored_state). A run of older dates leaves it unchanged.

    Raises:
        NoDataError: where there is no activity up to as_of.
    """
    # Before the first read, so that the state never claims a version newer than the one that it was built from.
    progress = state_progress(job, config)
    stored = find_stored_state(job, progress)
    # The writes of three tables read it. It has one row per user and date.
    state = checkpoint(_advance(job, config, stored) if stored else _rebuild(job, config))
    if state.isEmpty():
        raise NoDataError(
            f"there is no activity up to {job.run.as_of}: ingest a source first, or choose a later --as-of"
        )
    run_in_parallel(
        [partial(_write_features, job, state, config), partial(_write_state, job, state, progress)]
    )


def _rebuild(job: Job, config: FeaturesConfig) -> DataFrame:
    dates = job.run.as_of_dates
    activity = job.read("activity_days").where(F.col("event_date") <= job.run.as_of)
    users = resolve_users(job.read("identity_map"), job.read("identity_past"), dates)
    return build_state(activity, job.read("category_days"), users, dates, config.catalogue)


def _advance(job: Job, config: FeaturesConfig, stored: StoredState) -> DataFrame:
    """Advance the users whose days up to the stored date are unchanged, and rebuild the others."""
    as_of, catalogue = job.run.as_of, config.catalogue
    users = resolve_users(job.read("identity_map"), job.read("identity_past"), [as_of])
    activity = job.read("activity_days").where(F.col("event_date") <= F.lit(as_of))
    categories = job.read("category_days")
    state = build_later_state(
        job.read("user_state").join(stored.changed_users, on="user_id", how="left_anti"),
        activity.join(stored.changed_subjects, on="subject", how="left_anti"),
        categories.join(stored.changed_subjects, on="subject", how="left_anti"),
        users,
        stored.as_of,
        as_of,
        catalogue,
    )
    if stored.changed_users.isEmpty():
        return state
    changed = build_state(
        activity.join(stored.changed_subjects, on="subject", how="left_semi"),
        categories.join(stored.changed_subjects, on="subject", how="left_semi"),
        users,
        [as_of],
        catalogue,
    )
    return state.unionByName(changed)


def _write_features(job: Job, state: DataFrame, config: FeaturesConfig) -> None:
    job.write_as_of("norms", build_norms(state, config.rhythm))
    norms = job.read("norms").where(F.col("as_of").isin(*job.run.as_of_dates))
    profiles = job.read("user_profiles").where(F.col("as_of").isin(*job.run.as_of_dates))
    with_profiles = add_profiles(state, profiles, config.catalogue)
    features = build_features(with_profiles, norms, config, job.table("user_features"))
    delivery_no = job.progress("activity_days").get("delivery_no")
    job.write_as_of("user_features", features, meaning=config.meaning, delivery_no=delivery_no)


def _write_state(job: Job, state: DataFrame, progress: Mapping[str, object]) -> None:
    recorded = str(job.progress("user_state").get("as_of", ""))
    if str(job.run.as_of) >= recorded:
        newest = state.where(F.col("as_of") == F.lit(job.run.as_of)).select(*job.table("user_state").names)
        job.replace_all("user_state", newest, as_of=str(job.run.as_of), **progress)

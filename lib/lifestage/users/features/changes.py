"""Decide whether a run advances the stored state or rebuilds it, and find the users who have changed."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import materialize
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.users.features.config import FeaturesConfig
from lifestage.users.resolution import user_id_of

logger = logging.getLogger(__name__)

SOURCES = ("activity_days", "category_days", "identity_map")
MEANINGS = ("meaning", "activity_meaning", "code")
SUBJECT_DAY = ("subject", "event_date")
# Beyond this gap, the days that move are so many that a rebuild costs less.
MAX_GAP_DAYS = 31
# Beyond this share of users with changed days, a rebuild costs less.
MAX_CHANGED_SHARE = 0.2


@dataclass(frozen=True)
class StoredState:
    """The date of the stored state, and the users whom a run must rebuild because they have changed since."""

    as_of: date
    changed_subjects: DataFrame
    """All subjects of the changed users."""
    changed_users: DataFrame
    """Users with changed days up to as_of, or changed subjects, under their old and new ids."""


def state_progress(job: Job, config: FeaturesConfig) -> dict[str, Any]:
    """What a commit of the state records, apart from its date: what it means, and the versions that it was built from."""
    meanings = {
        "meaning": config.meaning,
        "activity_meaning": job.progress("activity_days").get("meaning"),
        # Other code may build the same columns differently.
        "code": job.run.code_version,
    }
    versions = {name: job.store.version(job.table(name)) for name in SOURCES}
    return {**meanings, "versions": versions, "identity_as_of": job.progress("identity_map").get("as_of")}


def find_stored_state(job: Job, now: Mapping[str, Any]) -> StoredState | None:
    """The stored state, if the run can advance it to its date; None where the state must be rebuilt.

    It can if the run builds one date, at most MAX_GAP_DAYS after that of the state, the meaning of the columns is
    unchanged, the sources have recorded their changes, and few users have changed.

    Args:
        job: the features step.
        now: what a state that is built now records (see state_progress).
    """
    done = job.progress("user_state")
    if len(job.run.as_of_dates) > 1 or any(done.get(name) != now[name] for name in MEANINGS):
        return None
    as_of = date.fromisoformat(str(done["as_of"]))
    if not 0 <= (job.run.as_of - as_of).days <= MAX_GAP_DAYS:
        return None
    # The map of a later date holds users that the state of its own date does not have, so its changes do not tell them.
    if _is_later(done["identity_as_of"], as_of) or _is_later(now["identity_as_of"], job.run.as_of):
        return None
    stored = _find_changed(job, as_of, done["versions"])  # type: ignore[arg-type]
    if stored is None:
        return None
    n_changed, n_users = stored.changed_users.count(), job.read("user_state").count()
    if n_changed > MAX_CHANGED_SHARE * n_users:
        return None
    logger.info("user_state: advance from %s, rebuild %d of %d users", as_of, n_changed, n_users)
    return stored


def _is_later(recorded: object, day: date) -> bool:
    """Whether a recorded date is after a day; False if none is recorded."""
    return recorded is not None and date.fromisoformat(str(recorded)) > day


def _find_changed(job: Job, as_of: date, versions: Mapping[str, int | None]) -> StoredState | None:
    """The stored state with the users who have changed; None if a table does not tell its changes."""
    # Changes to later days do not matter: those days enter the windows now.
    is_earlier = f"event_date <= DATE'{as_of}'"
    days, category_days, moved = run_in_parallel(
        [
            partial(job.read_changes, "activity_days", versions["activity_days"], SUBJECT_DAY, is_earlier),
            partial(job.read_changes, "category_days", versions["category_days"], SUBJECT_DAY, is_earlier),
            partial(job.read_changes, "identity_map", versions["identity_map"], ("identifier", "user_id")),
        ]
    )
    if days is None or category_days is None or moved is None:
        return None
    subjects = days.select("subject").unionByName(category_days.select("subject"))
    identifiers = subjects.select(F.col("subject").alias("identifier")).unionByName(
        moved.select("identifier")
    )
    identifiers = materialize(identifiers.distinct())
    if identifiers.isEmpty():
        return StoredState(
            as_of, identifiers.withColumnRenamed("identifier", "subject"), moved.select("user_id")
        )
    current = job.read("identity_map").select("identifier", "user_id")
    named = current.join(identifiers, on="identifier", how="left_semi").select("user_id")
    # An identifier may have been, or now be, a user of its own.
    own = identifiers.select(user_id_of(F.col("identifier")).alias("user_id"))
    users = materialize(moved.select("user_id").unionByName(named).unionByName(own).distinct())
    of_users = current.join(users, on="user_id", how="left_semi").select("identifier")
    all_subjects = of_users.unionByName(identifiers).distinct().withColumnRenamed("identifier", "subject")
    return StoredState(as_of, materialize(all_subjects), users)

"""Bring subject-days up to date: rebuild the days that new deliveries touched."""

from collections.abc import Iterable
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.ledger import KNOWN, LEDGER
from lifestage.platform.job import Job
from lifestage.platform.runtime.as_of_join import has_key, is_valid_on
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.storage.store import literals
from lifestage.users.activity.config import ActivityConfig
from lifestage.users.activity.days import build_activity_days, build_category_days, enrich_events

SUBJECT_DAY = ("subject", "event_date")
TABLES = ("activity_days", "category_days")


def run(job: Job, config: ActivityConfig) -> None:
    """Rebuild the subject-days of activity_days and category_days that new deliveries touched.

    The commits of each table record the last delivery that it covers. Without a record, or after a change of meaning,
    both tables are rebuilt from all events.
    """
    # Deliveries without news are left out: they leave no commit here, so every later run would search events for them.
    news = job.read(LEDGER).where(F.col("kind") != KNOWN)
    newest = {
        row["source"]: row["n"]
        for row in news.groupBy("source").agg(F.max("delivery_no").alias("n")).collect()
    }
    last = max(newest.values(), default=0)
    progress = {"delivery_no": last, "meaning": config.meaning}
    done = [job.progress(name) for name in TABLES]
    if any(commit.get("meaning") != config.meaning for commit in done):
        _rebuild(job, config, progress)
        return
    # If a run stopped between the two commits, the table that was written gets the same rows again.
    since = min(int(str(commit["delivery_no"])) for commit in done)
    if since < last:
        changed = [name for name in config.lookups if newest.get(name, 0) > since]
        _refresh(job, config, since, changed, progress)


def _rebuild(job: Job, config: ActivityConfig, progress: dict[str, object]) -> None:
    events = job.read("events")
    tables = _build_tables(_enrich(job, config, events), config)
    progress = {**progress, "n_subjects": _count_subjects(events)}
    run_in_parallel([partial(job.replace_all, name, rows, **progress) for name, rows in tables.items()])


def _count_subjects(rows: DataFrame) -> int:
    return rows.where(F.col("subject").isNotNull()).select("subject").distinct().count()


def _refresh(
    job: Job, config: ActivityConfig, since: int, changed: Iterable[str], progress: dict[str, object]
) -> None:
    # Used three times: for its days, to find the events, and to remove the old rows. Bounded by what was delivered.
    touched = _find_touched_days(job, config, since, changed).persist()
    days = [row["event_date"] for row in touched.select("event_date").distinct().collect()]
    progress = {**progress, "n_subjects": _count_subjects(touched)}
    months = {day.replace(day=1) for day in days}
    prune = (
        f"event_month IN ({literals([*months])}) AND event_date IN ({literals(days)})" if days else "false"
    )
    events = job.read("events").where(prune)
    events = events.join(F.broadcast(touched), on=list(SUBJECT_DAY), how="left_semi")
    # Both tables read it; its size is that of what was delivered.
    enriched = _enrich(job, config, events).persist()
    try:
        tables = _build_tables(enriched, config)
        run_in_parallel(
            [partial(job.exchange, name, touched, rows, prune, **progress) for name, rows in tables.items()]
        )
    finally:
        enriched.unpersist()
        touched.unpersist()


def _build_tables(enriched: DataFrame, config: ActivityConfig) -> dict[str, DataFrame]:
    return {
        "activity_days": build_activity_days(enriched, config),
        "category_days": build_category_days(enriched),
    }


def _find_touched_days(job: Job, config: ActivityConfig, since: int, changed: Iterable[str]) -> DataFrame:
    """Subject-days with an event that a delivery after `since` added, corrected, deleted or described anew.

    Events of earlier deliveries are searched only for the reference tables in `changed`, which had deliveries since.
    """
    events = job.read("events")
    added = events.where(F.col("delivery_no") > since).select(*SUBJECT_DAY)
    removed = job.read("event_versions").where(F.col("superseded_by") > since).select(*SUBJECT_DAY)
    touched = added.unionByName(removed)
    for name in changed:
        versions = job.read(name).where(F.col("delivery_no") > since)
        touched = touched.unionByName(_find_referencing_days(events, versions, config.lookups[name]))
    return touched.where(F.col("subject").isNotNull()).distinct()


def _find_referencing_days(events: DataFrame, versions: DataFrame, on: dict[str, str]) -> DataFrame:
    """Subject-days with an event that looks up one of the versions."""
    versions = versions.select(*[F.col(key).alias(f"_{key}") for key in on], "valid_from", "valid_to")
    condition = is_valid_on("event_date")
    for key, expression in on.items():
        condition = condition & has_key(F.col(f"_{key}"), expression)
    return events.join(F.broadcast(versions), on=condition, how="left_semi").select(*SUBJECT_DAY)


def _enrich(job: Job, config: ActivityConfig, events: DataFrame) -> DataFrame:
    lookups = {name: job.read(name).where("NOT is_ended") for name in config.lookups}
    return enrich_events(events, lookups, config)

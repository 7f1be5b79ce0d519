"""Bring subject-days up to date with the events: only the days that new deliveries touched."""

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
from lifestage.users.activity.days import build_activity_days, build_category_days, to_enriched

PAIR = ("subject", "event_date")
TABLES = ("activity_days", "category_days")


def run(job: Job, config: ActivityConfig) -> None:
    """Rebuild the touched (subject, date) pairs of activity_days and category_days.

    Each table remembers in its commits up to which delivery it is built; without that, or when a measure's meaning
    changed, both are built whole.
    """
    # What changes nothing leaves no commit to remember it by, and would be looked at again by every later run.
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
    # After a run that ended between the two commits, the one that was written gets the same rows once more.
    since = min(int(str(commit["delivery_no"])) for commit in done)
    if since < last:
        changed = [name for name in config.lookups if newest.get(name, 0) > since]
        _refresh_touched(job, config, since, changed, progress)


def _rebuild(job: Job, config: ActivityConfig, progress: dict[str, object]) -> None:
    enriched = _enriched(job, config, job.read("events"))
    built = _built(enriched, config)
    run_in_parallel([partial(job.replace_all, name, rows, **progress) for name, rows in built.items()])


def _refresh_touched(
    job: Job, config: ActivityConfig, since: int, changed: Iterable[str], progress: dict[str, object]
) -> None:
    # Read for its days, to find the events, and to take out the old rows. Bounded by what was delivered.
    touched = _touched(job, config, since, changed).persist()
    days = [row["event_date"] for row in touched.select("event_date").distinct().collect()]
    months = {day.replace(day=1) for day in days}
    prune = (
        f"event_month IN ({literals([*months])}) AND event_date IN ({literals(days)})" if days else "false"
    )
    events = job.read("events").where(prune).join(F.broadcast(touched), on=list(PAIR), how="left_semi")
    # Read by both tables, and of the same size as what was delivered.
    enriched = _enriched(job, config, events).persist()
    try:
        built = _built(enriched, config)
        run_in_parallel(
            [partial(job.exchange, name, touched, rows, prune, **progress) for name, rows in built.items()]
        )
    finally:
        enriched.unpersist()
        touched.unpersist()


def _built(enriched: DataFrame, config: ActivityConfig) -> dict[str, DataFrame]:
    return {
        "activity_days": build_activity_days(enriched, config),
        "category_days": build_category_days(enriched),
    }


def _touched(job: Job, config: ActivityConfig, since: int, changed: Iterable[str]) -> DataFrame:
    """Subject-days that a delivery after `since` added to, corrected, deleted from, or described anew.

    The reference tables in `changed` got deliveries since; only for their sake are older events looked at.
    """
    events = job.read("events")
    added = events.where(F.col("delivery_no") > since).select(*PAIR)
    removed = job.read("event_versions").where(F.col("superseded_by") > since).select(*PAIR)
    touched = added.unionByName(removed)
    for name in changed:
        rows = job.read(name).where(F.col("delivery_no") > since)
        touched = touched.unionByName(_redescribed(events, rows, config.lookups[name]))
    return touched.where(F.col("subject").isNotNull()).distinct()


def _redescribed(events: DataFrame, rows: DataFrame, on: dict[str, str]) -> DataFrame:
    """Subject-days with an event whose reference row changed for that day."""
    versions = rows.select(*[F.col(key).alias(f"_{key}") for key in on], "valid_from", "valid_to")
    condition = is_valid_on("event_date")
    for key, expression in on.items():
        condition = condition & has_key(F.col(f"_{key}"), expression)
    return events.join(F.broadcast(versions), on=condition, how="left_semi").select(*PAIR)


def _enriched(job: Job, config: ActivityConfig, events: DataFrame) -> DataFrame:
    return to_enriched(
        events, {name: job.read(name).where("NOT is_ended") for name in config.lookups}, config
    )

"""Bring subject-days up to date with the events: only the days that new deliveries touched."""

from collections.abc import Callable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.activity.config import ActivityConfig
from lifestage.activity.days import build_activity_days, build_category_days, to_enriched
from lifestage.core.job import Job
from lifestage.core.ledger import LEDGER
from lifestage.core.store import literals

PAIR = ("subject", "event_date")


def run(job: Job, config: ActivityConfig) -> None:
    """Rebuild the touched (subject, date) pairs of activity_days and category_days.

    Each table remembers in its commits up to which delivery it is built; without that, or when a measure's meaning
    changed, it is built whole.
    """
    newest = job.read(LEDGER).agg(F.max("delivery_no").alias("n")).first()
    last = newest["n"] if newest and newest["n"] else 0
    _refresh(job, config, "activity_days", last, lambda rows: build_activity_days(rows, config))
    _refresh(job, config, "category_days", last, build_category_days)


def _refresh(
    job: Job, config: ActivityConfig, name: str, last: int, build: Callable[[DataFrame], DataFrame]
) -> None:
    done = job.progress(name)
    meaning = config.meaning
    progress = {"delivery_no": last, "meaning": meaning}
    if done.get("meaning") != meaning:
        job.replace_all(name, build(_enriched(job, config, job.read("events"))), **progress)
    elif int(str(done["delivery_no"])) < last:
        _refresh_touched(job, config, name, int(str(done["delivery_no"])), build, progress)


def _refresh_touched(
    job: Job,
    config: ActivityConfig,
    name: str,
    since: int,
    build: Callable[[DataFrame], DataFrame],
    progress: dict[str, object],
) -> None:
    # Read three times: for its days, to find the events, and to take out the old rows. Bounded by what was delivered.
    touched = _touched(job, config, since).persist()
    try:
        days = [row["event_date"] for row in touched.select("event_date").distinct().collect()]
        if days:
            prune = f"event_month IN ({literals([*{d.replace(day=1) for d in days}])}) AND event_date IN ({literals(days)})"
            events = (
                job.read("events").where(prune).join(F.broadcast(touched), on=list(PAIR), how="left_semi")
            )
            rows = build(_enriched(job, config, events))
            job.exchange(name, touched, rows, prune, **progress)
    finally:
        touched.unpersist()


def _touched(job: Job, config: ActivityConfig, since: int) -> DataFrame:
    """Subject-days that a delivery after `since` added to, corrected, deleted from, or described anew."""
    events = job.read("events")
    added = events.where(F.col("delivery_no") > since).select(*PAIR)
    removed = job.read("event_versions").where(F.col("superseded_by") > since).select(*PAIR)
    touched = added.unionByName(removed)
    for name, on in config.lookups.items():
        touched = touched.unionByName(
            _redescribed(events, job.read(name).where(F.col("delivery_no") > since), on)
        )
    return touched.where(F.col("subject").isNotNull()).distinct()


def _redescribed(events: DataFrame, changed: DataFrame, on: dict[str, str]) -> DataFrame:
    """Subject-days with an event whose reference row changed for that day."""
    versions = changed.select(*[F.col(key).alias(f"_{key}") for key in on], "valid_from", "valid_to")
    condition = F.col("event_date").between(F.col("valid_from"), F.date_sub("valid_to", 1))
    for key, expression in on.items():
        condition = condition & (F.col(f"_{key}") == F.expr(expression).cast("string"))
    return events.join(F.broadcast(versions), on=condition, how="left_semi").select(*PAIR)


def _enriched(job: Job, config: ActivityConfig, events: DataFrame) -> DataFrame:
    return to_enriched(
        events, {name: job.read(name).where("NOT is_ended") for name in config.lookups}, config
    )

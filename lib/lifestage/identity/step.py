"""Who is who: evidence up to date, and the persons that it reaches solved anew."""

from collections.abc import Sequence
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.core.job import Job
from lifestage.core.ledger import KNOWN, LEDGER
from lifestage.core.store import literals
from lifestage.identity.changes import moved
from lifestage.identity.config import IdentityConfig
from lifestage.identity.links import PAIR, difference, event_links, first_dates, reference_links
from lifestage.identity.solving import reached, solve
from lifestage.tables.identity import user_id_of

MAPPED = ("identifier", "user_id", "status")


def run(job: Job, config: IdentityConfig) -> None:
    """Bring evidence, pairs and the map up to date with what was delivered; say who was who on the run's other dates.

    The evidence is committed last: until then a run that was killed finds the same differences again.
    """
    done = job.progress("link_days")
    since = int(str(done["delivery_no"])) if done.get("meaning") == config.evidence_meaning else 0
    last = _last_delivery(job)
    if since < last or not done:
        removed, added = (frame.persist() for frame in _differences(job, config, since))
        try:
            _take_in(job, config, removed, added)
            months = _months(removed)
            job.exchange(
                "link_days", removed, added, months, delivery_no=last, meaning=config.evidence_meaning
            )
        finally:
            removed.unpersist()
            added.unpersist()
    else:
        _refresh_map(job, config, job.read("links").where("false").select(*PAIR, "first_on"))
    _write_past(job, config)


def _last_delivery(job: Job) -> int:
    row = job.read(LEDGER).where(F.col("kind") != KNOWN).agg(F.max("delivery_no").alias("n")).first()
    return int(row["n"] or 0) if row else 0


def _differences(job: Job, config: IdentityConfig, since: int) -> tuple[DataFrame, DataFrame]:
    """Rows of link_days that go, by key, and rows that come: of the dates that deliveries touched."""
    known = job.read("link_days")
    changed = [name for name in config.references if _is_delivered(job.read(name), since)]
    of_events = ~F.col("source").isin(list(config.references))
    if since:
        days = _touched_days(job, since)
        on_days = F.expr(f"event_date IN ({literals(days)})" if days else "false")
        events = job.read("events").where(on_days & F.expr(_in_months(days)))
        before = known.where((of_events & on_days) | F.col("source").isin(changed))
    else:
        events, before = job.read("events"), known
    parts = [event_links(events)]
    for name in changed:
        versions = job.read(name).where("NOT is_ended")
        parts.append(reference_links(versions, name, config.references[name]))
    return difference(before, reduce(DataFrame.unionByName, parts))


def _is_delivered(versions: DataFrame, since: int) -> bool:
    return not versions.where(F.col("delivery_no") > since).isEmpty()


def _touched_days(job: Job, since: int) -> list[date]:
    """Days of events that came or went; bounded by what was delivered."""
    added = job.read("events").where(F.col("delivery_no") > since).select("event_date")
    removed = job.read("event_versions").where(F.col("superseded_by") > since).select("event_date")
    return [row["event_date"] for row in added.unionByName(removed).distinct().collect()]


def _in_months(days: Sequence[date]) -> str:
    months = {day.replace(day=1) for day in days}
    return f"event_month IN ({literals([*months])})" if months else "false"


def _months(removed: DataFrame) -> str:
    days = [row["event_date"] for row in removed.select("event_date").distinct().collect()]
    return _in_months(days)


def _take_in(job: Job, config: IdentityConfig, removed: DataFrame, added: DataFrame) -> None:
    """Pairs with their first dates, then the persons that they are of."""
    pairs = first_dates(job.read("links"), job.read("link_days"), removed, added).persist()
    touched = removed.select(*PAIR).unionByName(added.select(*PAIR)).distinct().persist()
    try:
        # What is gone has no first date any more; the journal names it all the same.
        evidence = touched.join(pairs.select(*PAIR, "first_on"), on=[*PAIR], how="left").persist()
        job.exchange("links", touched, pairs, "true")
        _refresh_map(job, config, evidence)
    finally:
        for frame in (pairs, touched):
            frame.unpersist()


def _refresh_map(job: Job, config: IdentityConfig, evidence: DataFrame) -> None:
    """Solve the persons that evidence reaches, as of the newest date that was ever built; all of them at first.

    The journal is written before the map: a run that was killed between them finds the same moves again.
    """
    done = job.progress("identity_map")
    seen = date.fromisoformat(str(done["as_of"])) if done.get("meaning") == config.meaning else None
    as_of = max(job.run.as_of, seen or job.run.as_of)
    links = job.read("links").where(F.col("first_on") <= F.lit(as_of))
    before, members = job.read("identity_map"), None
    if seen is not None:
        came_due = links.where(F.col("first_on") > F.lit(seen)).select(*PAIR, "first_on")
        evidence = evidence.unionByName(came_due).distinct()
        members = reached(evidence, links, before, config).persist()
        before = before.join(members, on="identifier", how="left_semi")
    after = solve(links, config, members).persist()
    try:
        if seen is not None:
            job.write("identity_changes", moved(before, after, evidence, as_of))
        _put(job, before, after, as_of=str(as_of), meaning=config.meaning)
    finally:
        after.unpersist()
        if members is not None:
            members.unpersist()


def _put(job: Job, before: DataFrame, after: DataFrame, **progress: object) -> None:
    """Replace the rows that differ; who has no evidence any more has no row."""
    columns = list(after.columns)
    same = F.struct(*columns)
    old = before.select("identifier", same.alias("row"))
    new = after.select("identifier", same.alias("row"))
    is_same = (F.col("old.identifier") == F.col("new.identifier")) & F.col("old.row").eqNullSafe(
        F.col("new.row")
    )
    gone = old.alias("old").join(new.alias("new"), on=is_same, how="left_anti").select("identifier")
    come = new.alias("new").join(old.alias("old"), on=is_same, how="left_anti").select("row.*")
    job.exchange("identity_map", gone, come, "true", **progress)


def _write_past(job: Job, config: IdentityConfig) -> None:
    """Who was who on the run's dates before the map's: where it differs from the map."""
    newest = date.fromisoformat(str(job.progress("identity_map")["as_of"]))
    days = [day for day in job.run.as_of_dates if day < newest]
    links = job.read("links")
    if not days or links.isEmpty():
        return
    now = job.read("identity_map").select(*MAPPED)
    parts = [_then(solve(links.where(F.col("first_on") <= F.lit(day)), config), now, day) for day in days]
    job.replace_all("identity_past", reduce(DataFrame.unionByName, parts))


def _then(solved: DataFrame, now: DataFrame, day: date) -> DataFrame:
    """Rows of a date that differ from the map; whom no evidence named yet was a user of its own."""
    then = solved.select(*MAPPED)
    alone = now.join(then, on="identifier", how="left_anti").select(
        "identifier", user_id_of(F.col("identifier")).alias("user_id"), F.lit("active").alias("status")
    )
    return then.unionByName(alone).exceptAll(now).withColumn("as_of", F.lit(day))

"""Who is who: evidence up to date, and the persons that it reaches solved anew."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.core.job import Job
from lifestage.core.ledger import KNOWN, LEDGER
from lifestage.core.local_rows import settled
from lifestage.core.store import literals
from lifestage.identity.changes import moved
from lifestage.identity.config import IdentityConfig
from lifestage.identity.links import (
    EVIDENCE,
    KEY,
    PAIR,
    dated_again,
    difference,
    event_links,
    first_dates,
    match_links,
    reference_links,
)
from lifestage.identity.solving import reached, solve
from lifestage.tables.identity import UserStatus, user_id_of
from lifestage.tables.matches import FUZZY

# How far evidence has been taken in: the last delivery, and the version of the matches.
Taken = dict[str, int | None]

MAPPED = ("identifier", "user_id", "status")


def run(job: Job, config: IdentityConfig) -> None:
    """Bring evidence, pairs and the map up to date with what was delivered; say who was who on the run's other dates.

    The evidence is committed last: until then a run that was killed finds the same differences again. Where nothing
    names two identifiers, and nothing ever did, there is nothing to do.
    """
    done = job.progress("link_days")
    if not (config.sources or config.references or config.is_matched or config.allow or done):
        return
    last = _there_is(job, config)
    since = _taken(done) if done.get("meaning") == config.evidence_meaning else None
    if since is None:
        _rebuild(job, config, last)
    elif since != last:
        _take_in(job, config, since, last)
    else:
        _refresh_map(job, config, _none(job))
    _write_past(job, config)


def _there_is(job: Job, config: IdentityConfig) -> Taken:
    row = job.read(LEDGER).where(F.col("kind") != KNOWN).agg(F.max("delivery_no").alias("n")).first()
    matches = job.store.version(job.table("matches")) if config.is_matched else None
    return {"delivery_no": int(row["n"] or 0) if row else 0, "matches": matches}


def _taken(progress: Mapping[str, object]) -> Taken:
    numbers = {name: progress.get(name) for name in ("delivery_no", "matches")}
    return {name: None if number is None else int(str(number)) for name, number in numbers.items()}


def _is_ahead(one: Taken, other: Taken) -> bool:
    """Both only grow; a commit of nothing is left out, so that what nothing changed may also lag behind."""
    return any((one[name] or 0) > (other[name] or 0) for name in one)


def _rebuild(job: Job, config: IdentityConfig, last: Taken) -> None:
    """Everything anew, of all that was ever delivered."""
    events = job.read("events").where(F.col("source").isin(list(config.sources)))
    named = [*config.references, *([FUZZY] if config.is_matched else [])]
    evidence = settled(_evidence(job, config, events, named))
    job.replace_all("links", first_dates(evidence), **last)
    _solve_all(job, config)
    job.replace_all("link_days", evidence, **last, meaning=config.evidence_meaning)


def _take_in(job: Job, config: IdentityConfig, since: Taken, last: Taken) -> None:
    """The evidence of the days that deliveries since touched, the pairs it is about, and their persons."""
    broke_off = _is_ahead(_taken(job.progress("links")), since)
    changes = settled(_changes(job, config, since, last))
    dated = settled(dated_again(job.read("links"), job.read("link_days"), changes))
    # A run that was killed may have put the dates right, and not the map.
    differs = dated.where("NOT first_on <=> first_before")
    news = dated if broke_off else differs
    evidence = settled(news.select(*PAIR, F.least("first_on", "first_before").alias("first_on")))
    gone = differs.where("first_before IS NOT NULL").select(*PAIR)
    come = differs.where("first_on IS NOT NULL").drop("first_before")
    job.exchange("links", gone, come, "true", **last)
    _refresh_map(job, config, evidence)
    gone, come = changes.where("n_before IS NOT NULL"), changes.where("n IS NOT NULL").select(*EVIDENCE)
    prune = _in_months(_days_of(gone))
    job.exchange("link_days", gone.select(*KEY), come, prune, **last, meaning=config.evidence_meaning)


def _evidence(job: Job, config: IdentityConfig, events: DataFrame, named: Sequence[str]) -> DataFrame:
    """Rows of link_days of events, and of what is named: reference tables, and the matches."""
    parts = [event_links(events)]
    for name in named:
        if name == FUZZY:
            parts.append(match_links(job.read("matches")))
            continue
        versions = job.read(name).where("NOT is_ended")
        parts.append(reference_links(versions, name, config.references[name]))
    return reduce(DataFrame.unionByName, parts)


def _changes(job: Job, config: IdentityConfig, since: Taken, last: Taken) -> DataFrame:
    """Rows of link_days that go or come: of touched days, and of reference tables and matches with news."""
    delivery_no = since["delivery_no"] or 0
    changed = [name for name in config.references if _is_delivered(job.read(name), delivery_no)]
    if since["matches"] != last["matches"]:
        changed.append(FUZZY)
    days = _touched_days(job, config, delivery_no)
    on_days = f"{_in_months(days)} AND event_date IN ({literals(days)})" if days else "false"
    events = job.read("events").where(F.col("source").isin(list(config.sources))).where(on_days)
    is_event = F.col("source").isin(list(config.sources))
    # Apart, so that of the events only the months with those days are read.
    link_days = job.read("link_days")
    before = link_days.where(is_event & F.expr(on_days))
    if changed:
        before = before.unionByName(link_days.where(F.col("source").isin(changed)))
    return difference(before, _evidence(job, config, events, changed))


def _is_delivered(versions: DataFrame, since: int) -> bool:
    return not versions.where(F.col("delivery_no") > since).isEmpty()


def _touched_days(job: Job, config: IdentityConfig, since: int) -> list[date]:
    """Days of events that came or went; bounded by what was delivered."""
    of_sources = F.col("source").isin(list(config.sources))
    added = job.read("events").where(of_sources & (F.col("delivery_no") > since))
    removed = job.read("event_versions").where(of_sources & (F.col("superseded_by") > since))
    return _days_of(added.select("event_date").unionByName(removed.select("event_date")))


def _days_of(rows: DataFrame) -> list[date]:
    return [row["event_date"] for row in rows.select("event_date").distinct().collect()]


def _in_months(days: Sequence[date]) -> str:
    months = {day.replace(day=1) for day in days}
    return f"event_month IN ({literals([*months])})" if months else "false"


def _none(job: Job) -> DataFrame:
    return job.read("links").where("false").select(*PAIR, "first_on")


def _refresh_map(job: Job, config: IdentityConfig, evidence: DataFrame) -> None:
    """Solve the persons that evidence reaches, as of the newest date that was ever built.

    The journal is written before the map: a run that was killed between them finds the same moves again.
    """
    done = job.progress("identity_map")
    if done.get("meaning") != config.meaning:
        _solve_all(job, config)
        return
    seen = date.fromisoformat(str(done["as_of"]))
    as_of = max(job.run.as_of, seen)
    links = job.read("links").where(F.col("first_on") <= F.lit(as_of))
    if as_of > seen:
        came_due = links.where(F.col("first_on") > F.lit(seen)).select(*PAIR, "first_on")
        evidence = settled(evidence.unionByName(came_due).distinct())
    if evidence.isEmpty():
        return
    members, before = reached(evidence, links, job.read("identity_map"), config)
    after = settled(solve(links, config, members))
    _tell(job, moved(before, after, evidence, as_of, job.run.now))
    gone, come = _differing(before, after)
    job.exchange("identity_map", gone, come, "true", **_solved(job, config, as_of))


def _solve_all(job: Job, config: IdentityConfig) -> None:
    """Everybody anew; what moves by that is in the journal all the same."""
    done = job.progress("identity_map")
    as_of = max(job.run.as_of, date.fromisoformat(str(done["as_of"]))) if done else job.run.as_of
    links = job.read("links").where(F.col("first_on") <= F.lit(as_of))
    after = settled(solve(links, config))
    if done:
        _tell(job, moved(job.read("identity_map"), after, _none(job), as_of, job.run.now))
    job.replace_all("identity_map", after, **_solved(job, config, as_of))


def _solved(job: Job, config: IdentityConfig, as_of: date) -> dict[str, str]:
    """What a commit of the map records."""
    return {"as_of": str(as_of), "meaning": config.meaning, "moved_at": str(job.run.now)}


def _tell(job: Job, moves: DataFrame) -> None:
    """Add to the journal what it does not have: a run that was killed before it wrote the map has told some already."""
    told = job.read("identity_changes")
    since = job.progress("identity_map").get("moved_at")
    if since:
        told = told.where(F.col("moved_at") >= F.lit(datetime.fromisoformat(str(since))))
    what = ("from_user_id", "to_user_id", "cause")
    known = told.select(F.struct("identifier", *what).alias("_move")).distinct()
    same = F.struct("identifier", *what) == F.col("_move")
    news = settled(moves.join(known, on=same, how="left_anti"))
    at = f"moved_at = TIMESTAMP'{job.run.now.isoformat()}'"
    job.exchange("identity_changes", news.select("moved_at", "identifier"), news, at)


def _differing(before: DataFrame, after: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Identifiers whose row goes or is another, and rows that come; who has no evidence any more has no row."""
    row = F.struct(*after.columns)
    old, new = (frame.select("identifier", row.alias("row")) for frame in (before, after))
    same = (F.col("old.identifier") == F.col("new.identifier")) & (F.col("old.row") == F.col("new.row"))
    gone = old.alias("old").join(new.alias("new"), on=same, how="left_anti").select("identifier")
    come = new.alias("new").join(old.alias("old"), on=same, how="left_anti").select("row.*")
    return gone, come


def _write_past(job: Job, config: IdentityConfig) -> None:
    """Who was who on the run's dates before the map's: where it differs from the map."""
    newest = date.fromisoformat(str(job.progress("identity_map")["as_of"]))
    days = [day for day in job.run.as_of_dates if day < newest]
    if days:
        parts = [_past(job, config, day, newest) for day in days]
        job.write_as_of("identity_past", reduce(DataFrame.unionByName, parts))


def _past(job: Job, config: IdentityConfig, day: date, newest: date) -> DataFrame:
    """Rows of a date: persons whom later evidence reaches, without it; whom none named yet was a user of its own."""
    links, now = job.read("links"), job.read("identity_map")
    later = links.where((F.col("first_on") > F.lit(day)) & (F.col("first_on") <= F.lit(newest)))
    known = links.where(F.col("first_on") <= F.lit(day))
    members, mapped = reached(later, known, now, config)
    then = settled(solve(known, config, members)).select(*MAPPED)
    alone = mapped.join(then, on="identifier", how="left_anti").select(
        "identifier",
        user_id_of(F.col("identifier")).alias("user_id"),
        F.lit(str(UserStatus.ACTIVE)).alias("status"),
    )
    differing = then.unionByName(alone).exceptAll(mapped.select(*MAPPED))
    return settled(differing.select(F.lit(day).alias("as_of"), *MAPPED))

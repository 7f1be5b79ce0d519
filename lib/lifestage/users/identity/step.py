"""Who is who: evidence up to date, and the persons that it reaches solved anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.ledger import KNOWN, LEDGER
from lifestage.platform.as_of_dates import newest_built
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import materialize
from lifestage.platform.storage.store import literals
from lifestage.users.identity.changes import moved
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.identity.links import (
    EVIDENCE,
    KEY,
    PAIR,
    dated_again,
    difference,
    differently_dated,
    event_links,
    first_dates,
    match_links,
    reference_links,
)
from lifestage.users.identity.solving import reached, solve
from lifestage.users.pairs import FUZZY
from lifestage.users.resolution import UserStatus, user_id_of

# How far evidence has been taken in: the last delivery, and the version of the matches.
Taken = dict[str, int | None]

MAPPED = ("identifier", "user_id", "status")


@dataclass(frozen=True)
class Mapped:
    """The map before this run, by what its newest commit recorded; nothing of it where there is none."""

    as_of: date | None
    meaning: str | None
    journal: int
    """The version of the journal that was written before it."""
    newest: date
    """The date that the map is to be of: the newest that was ever built, with this run's."""


def run(job: Job, config: IdentityConfig) -> None:
    """Bring evidence, pairs and the map up to date with what was delivered; say who was who on the run's other dates.

    The evidence is committed last: until then a run that was killed finds the same differences again. Where nothing
    names two identifiers, and nothing ever did, there is nothing to do.
    """
    done = [job.progress(name) for name in ("link_days", "links", "identity_map")]
    if not (config.sources or config.references or config.is_matched or config.allow or any(done)):
        return
    mapped, last, since = _mapped(job), _there_is(job, config), _since(job, config)
    # What the journal tells beside what the map's commit knows of is of a run that broke off before it.
    job.store.roll_back(job.table("identity_changes"), mapped.journal)
    if since is None:
        _rebuild(job, config, mapped, last)
    elif since != last:
        _take_in(job, config, mapped, since, last)
    else:
        _refresh_map(job, config, mapped, job.read("links").where("false").select(*PAIR, "first_on"))
    _write_past(job, config, mapped.newest)


def _mapped(job: Job) -> Mapped:
    said = {name: str(value) for name, value in job.progress("identity_map").items()}
    as_of = date.fromisoformat(said["as_of"]) if "as_of" in said else None
    newest = max(day for day in (job.run.as_of, as_of, newest_built(job.read("runs"))) if day)
    return Mapped(as_of, said.get("meaning"), int(said.get("journal", 0)), newest)


def _there_is(job: Job, config: IdentityConfig) -> Taken:
    row = job.read(LEDGER).where(F.col("kind") != KNOWN).agg(F.max("delivery_no").alias("n")).first()
    matches = job.store.version(job.table("matches")) if config.is_matched else None
    return {"delivery_no": int(row["n"] or 0) if row else 0, "matches": matches}


def _taken(progress: Mapping[str, object]) -> Taken:
    numbers = {name: progress.get(name) for name in ("delivery_no", "matches")}
    return {name: None if number is None else int(str(number)) for name, number in numbers.items()}


def _since(job: Job, config: IdentityConfig) -> Taken | None:
    """How far evidence was taken in; None where it is of another meaning, or a run broke off before its last commit.

    Pairs of such a run may have lost their evidence since, and no delivery says so. Numbers only grow; a commit of
    nothing is left out, so that those of what did not change lag behind.
    """
    links, evidence = job.progress("links"), job.progress("link_days")
    if {links.get("meaning"), evidence.get("meaning")} != {config.evidence_meaning}:
        return None
    written, since = _taken(links), _taken(evidence)
    is_ahead = any((written[name] or 0) > (since[name] or 0) for name in since)
    return None if is_ahead else since


def _rebuild(job: Job, config: IdentityConfig, mapped: Mapped, last: Taken) -> None:
    """Everything anew, of all that was ever delivered."""
    events = job.read("events").where(F.col("source").isin(list(config.sources)))
    named = [*config.references, *([FUZZY] if config.is_matched else [])]
    evidence = materialize(_evidence(job, config, events, named))
    before, after = first_dates(job.read("link_days")), first_dates(evidence)
    taken = {**last, "meaning": config.evidence_meaning}
    job.replace_all("links", after, **taken)
    _solve_all(job, config, mapped, differently_dated(before, after))
    job.replace_all("link_days", evidence, **taken)


def _take_in(job: Job, config: IdentityConfig, mapped: Mapped, since: Taken, last: Taken) -> None:
    """The evidence of the days that deliveries since touched, the pairs it is about, and their persons."""
    changes = materialize(_changes(job, config, since, last))
    news = materialize(dated_again(job.read("links"), job.read("link_days"), changes))
    evidence = materialize(news.select(*PAIR, F.least("first_on", "first_before").alias("first_on")))
    taken = {**last, "meaning": config.evidence_meaning}
    gone = news.where("first_before IS NOT NULL").select(*PAIR)
    come = news.where("first_on IS NOT NULL").drop("first_before")
    job.exchange("links", gone, come, "true", **taken)
    _refresh_map(job, config, mapped, evidence)
    gone, come = changes.where("n_before IS NOT NULL"), changes.where("n IS NOT NULL").select(*EVIDENCE)
    job.exchange("link_days", gone.select(*KEY), come, _in_months(_days_of(gone)), **taken)


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
    """Days of events that came or went and name several identifiers; bounded by what was delivered."""
    names_several = F.col("source").isin(list(config.sources)) & (F.size("identifiers") >= 2)
    added = job.read("events").where(names_several & (F.col("delivery_no") > since))
    removed = job.read("event_versions").where(names_several & (F.col("superseded_by") > since))
    return _days_of(added.select("event_date").unionByName(removed.select("event_date")))


def _days_of(rows: DataFrame) -> list[date]:
    return [row["event_date"] for row in rows.select("event_date").distinct().collect()]


def _in_months(days: Sequence[date]) -> str:
    months = {day.replace(day=1) for day in days}
    return f"event_month IN ({literals([*months])})" if months else "false"


def _refresh_map(job: Job, config: IdentityConfig, mapped: Mapped, evidence: DataFrame) -> None:
    """Solve the persons that evidence reaches, as of the newest date that was ever built."""
    if mapped.meaning != config.meaning:
        _solve_all(job, config, mapped, evidence)
        return
    evidence = materialize(_with_due(job, mapped, evidence))
    if evidence.isEmpty():
        return
    links = job.read("links").where(F.col("first_on") <= F.lit(mapped.newest))
    members, before = reached(evidence, links, job.read("identity_map"), config)
    after = materialize(solve(links, config, members))
    _tell(job, mapped, before, after, evidence)
    gone, come = _differing(before, after)
    job.exchange("identity_map", gone, come, "true", **_solved(job, config, mapped))


def _solve_all(job: Job, config: IdentityConfig, mapped: Mapped, evidence: DataFrame) -> None:
    """Everybody anew. What moves by that is told where anybody may have seen who they were before."""
    after = materialize(solve(job.read("links").where(F.col("first_on") <= F.lit(mapped.newest)), config))
    if mapped.as_of or not job.read("runs").isEmpty():
        _tell(job, mapped, job.read("identity_map"), after, _with_due(job, mapped, evidence))
    job.replace_all("identity_map", after, **_solved(job, config, mapped))


def _with_due(job: Job, mapped: Mapped, evidence: DataFrame) -> DataFrame:
    """Pairs that came or went, and those that only count since the date that the map is of."""
    if mapped.as_of in (None, mapped.newest):
        return evidence
    is_due = (F.col("first_on") > F.lit(mapped.as_of)) & (F.col("first_on") <= F.lit(mapped.newest))
    return evidence.unionByName(job.read("links").where(is_due).select(*PAIR, "first_on")).distinct()


def _tell(job: Job, mapped: Mapped, before: DataFrame, after: DataFrame, evidence: DataFrame) -> None:
    """Add what moved to the journal."""
    told = moved(before, after, evidence, mapped.newest).withColumns(
        {
            "journal_version": F.lit(_journal_version(job) + 1).cast("bigint"),
            "moved_at": F.lit(job.run.now).cast("timestamp"),
        }
    )
    job.write("identity_changes", told)


def _journal_version(job: Job) -> int:
    return job.store.version(job.table("identity_changes")) or 0


def _solved(job: Job, config: IdentityConfig, mapped: Mapped) -> dict[str, object]:
    """What a commit of the map records; the journal is written before it."""
    return {"as_of": str(mapped.newest), "meaning": config.meaning, "journal": _journal_version(job)}


def _differing(before: DataFrame, after: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Identifiers whose row goes or is another, and rows that come; who has no evidence any more has no row."""
    row = F.struct(*after.columns)
    old, new = (frame.select("identifier", row.alias("row")) for frame in (before, after))
    same = (F.col("old.identifier") == F.col("new.identifier")) & (F.col("old.row") == F.col("new.row"))
    gone = old.alias("old").join(new.alias("new"), on=same, how="left_anti").select("identifier")
    come = new.alias("new").join(old.alias("old"), on=same, how="left_anti").select("row.*")
    return gone, come


def _write_past(job: Job, config: IdentityConfig, newest: date) -> None:
    """Who was who on the run's dates before the map's, where it differs from the map; and nothing of dates that go."""
    parts = [_past(job, config, day, newest) for day in job.run.as_of_dates if day < newest]
    past = job.read("identity_past")
    remaining = [*job.run.stay, *job.run.as_of_dates]
    if parts or not past.where(~F.col("as_of").isin(remaining)).isEmpty():
        job.write_as_of("identity_past", reduce(DataFrame.unionByName, parts, past.where("false")))


def _past(job: Job, config: IdentityConfig, day: date, newest: date) -> DataFrame:
    """Rows of a date: persons whom later evidence reaches, without it; whom none named yet was a user of its own."""
    links, now = job.read("links"), job.read("identity_map")
    later = links.where((F.col("first_on") > F.lit(day)) & (F.col("first_on") <= F.lit(newest)))
    known = links.where(F.col("first_on") <= F.lit(day))
    members, mapped = reached(later, known, now, config)
    then = materialize(solve(known, config, members)).select(*MAPPED)
    alone = mapped.join(then, on="identifier", how="left_anti").select(
        "identifier",
        user_id_of(F.col("identifier")).alias("user_id"),
        F.lit(str(UserStatus.ACTIVE)).alias("status"),
    )
    differing = then.unionByName(alone).exceptAll(mapped.select(*MAPPED))
    version = F.lit(_journal_version(job)).cast("bigint").alias("journal_version")
    return materialize(differing.select(F.lit(day).alias("as_of"), *MAPPED, version))

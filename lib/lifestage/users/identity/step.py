"""Bring evidence, links and the identity map up to date, and record what changed."""

from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import materialize
from lifestage.users.identity.changes import find_identity_changes
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.identity.evidence import EVIDENCE, KEY
from lifestage.users.identity.evidence_sources import (
    collect_days,
    in_months,
    read_all_evidence,
    read_changed_evidence,
)
from lifestage.users.identity.links import diff_links, find_changed_links, to_links
from lifestage.users.identity.progress import (
    Coverage,
    MapState,
    read_available,
    read_covered,
    read_map_state,
)
from lifestage.users.identity.solving import (
    build_identity_past,
    diff_identity_map,
    find_affected_members,
    solve_identities,
)
from lifestage.users.identity.suspicions import diff_suspicions, find_suspicions
from lifestage.users.identity.tables import IDENTITY_MAP
from lifestage.users.pairs import PAIR


def run(job: Job, config: IdentityConfig) -> None:
    """Update evidence, links and the map from new deliveries, and write the identities of the run's earlier dates.

    link_days is committed last: a run that is killed before that finds the same changes again. Without evidence, now
    or before, there is nothing to do.
    """
    done = [job.progress(name) for name in ("link_days", "links", "identity_map")]
    if not (config.sources or config.references or config.is_matched or config.allow or any(done)):
        return
    state, available, covered = read_map_state(job), read_available(job, config), read_covered(job, config)
    # Rows of identity_changes beyond what the map's commit records are of a run that stopped before that commit.
    if state.journal is not None:
        job.store.roll_back(job.table("identity_changes"), state.journal)
    if covered is None:
        _rebuild(job, config, state, available)
    elif covered != available:
        _update(job, config, state, covered, available)
    else:
        _update_map(job, config, state, job.read("links").where("false").select(*PAIR, "first_on"))
    _write_past(job, config, state.newest)


def _rebuild(job: Job, config: IdentityConfig, state: MapState, available: Coverage) -> None:
    """Build evidence, links and the map from everything that was ever delivered."""
    evidence = materialize(read_all_evidence(job.read, config))
    before, after = to_links(job.read("link_days")), to_links(evidence)
    progress = {**available, "meaning": config.evidence_meaning}
    job.replace_all("links", after, **progress)
    _rebuild_map(job, config, state, diff_links(before, after))
    job.replace_all("link_days", evidence, **progress)


def _update(
    job: Job, config: IdentityConfig, state: MapState, covered: Coverage, available: Coverage
) -> None:
    """Apply the evidence that changed since `covered` to links, the map and link_days."""
    changes = materialize(read_changed_evidence(job.read, config, covered, available))
    changed = materialize(find_changed_links(job.read("links"), job.read("link_days"), changes))
    links = materialize(changed.select(*PAIR, F.least("first_on", "first_before").alias("first_on")))
    progress = {**available, "meaning": config.evidence_meaning}
    removed = changed.where("first_before IS NOT NULL").select(*PAIR)
    added = changed.where("first_on IS NOT NULL").drop("first_before")
    job.exchange("links", removed, added, "true", **progress)
    _update_map(job, config, state, links)
    removed = changes.where("n_before IS NOT NULL")
    added = changes.where("n IS NOT NULL").select(*EVIDENCE)
    prune = in_months(collect_days(removed))
    job.exchange("link_days", removed.select(*KEY), added, prune, **progress)


def _update_map(job: Job, config: IdentityConfig, state: MapState, changed_links: DataFrame) -> None:
    """Resolve the users that changed links affect, as of the newest date ever built."""
    if state.meaning != config.meaning:
        _rebuild_map(job, config, state, changed_links)
        return
    changed_links = materialize(_with_due_links(job, state, changed_links))
    if changed_links.isEmpty():
        return
    links = job.read("links").where(F.col("first_on") <= F.lit(state.newest))
    members, before = find_affected_members(changed_links, links, job.read("identity_map"), config)
    solved = materialize(solve_identities(links, config, members))
    after = solved.select(*IDENTITY_MAP.names)
    _write_changes(job, state, before, after, changed_links)
    _update_suspicions(job, config, before, solved)
    removed, added = diff_identity_map(before, after)
    job.exchange("identity_map", removed, added, "true", **_map_progress(job, config, state))


def _rebuild_map(job: Job, config: IdentityConfig, state: MapState, changed_links: DataFrame) -> None:
    """Resolve all users. The changes are recorded where a completed run or an earlier map exists."""
    links = job.read("links").where(F.col("first_on") <= F.lit(state.newest))
    solved = materialize(solve_identities(links, config))
    after = solved.select(*IDENTITY_MAP.names)
    if state.as_of or not job.read("runs").isEmpty():
        due = _with_due_links(job, state, changed_links)
        _write_changes(job, state, job.read("identity_map"), after, due)
    job.replace_all("identity_suspicions", find_suspicions(solved, config))
    job.replace_all("identity_map", after, **_map_progress(job, config, state))


def _update_suspicions(job: Job, config: IdentityConfig, before: DataFrame, solved: DataFrame) -> None:
    """Exchange the suspicions of the users who were resolved, where any differ.

    Written before the map: a run that is killed in between finds the same users again.
    """
    users = before.select("user_id").unionByName(solved.select("user_id")).distinct()
    rows = job.read("identity_suspicions").join(users, on="user_id", how="left_semi")
    suspicions = materialize(find_suspicions(solved, config))
    changed, added = map(materialize, diff_suspicions(rows.select(*suspicions.columns), suspicions))
    if not changed.isEmpty():
        job.exchange("identity_suspicions", changed, added, "true")


def _with_due_links(job: Job, state: MapState, changed_links: DataFrame) -> DataFrame:
    """Changed links, and those that count only now: their first date is after the date of the map before."""
    if state.as_of in (None, state.newest):
        return changed_links
    is_due = (F.col("first_on") > F.lit(state.as_of)) & (F.col("first_on") <= F.lit(state.newest))
    return changed_links.unionByName(job.read("links").where(is_due).select(*PAIR, "first_on")).distinct()


def _write_changes(
    job: Job, state: MapState, before: DataFrame, after: DataFrame, changed_links: DataFrame
) -> None:
    changes = find_identity_changes(before, after, changed_links, state.newest).withColumns(
        {
            "journal_version": F.lit(_journal_version(job) + 1).cast("bigint"),
            "moved_at": F.lit(job.run.now).cast("timestamp"),
        }
    )
    job.write("identity_changes", changes)


def _journal_version(job: Job) -> int:
    return job.store.version(job.table("identity_changes")) or 0


def _map_progress(job: Job, config: IdentityConfig, state: MapState) -> dict[str, object]:
    """What a commit of the map records. identity_changes is written before the map, so its version is final."""
    return {"as_of": str(state.newest), "meaning": config.meaning, "journal": _journal_version(job)}


def _write_past(job: Job, config: IdentityConfig, newest: date) -> None:
    """Write the identities of the run's dates before the map's date, and remove dates that are no longer kept."""
    parts = [
        build_identity_past(
            job.read("links"), job.read("identity_map"), config, day, newest, _journal_version(job)
        )
        for day in job.run.as_of_dates
        if day < newest
    ]
    past = job.read("identity_past")
    remaining = [*job.run.dates_to_keep, *job.run.as_of_dates]
    if parts or not past.where(~F.col("as_of").isin(remaining)).isEmpty():
        job.write_as_of("identity_past", reduce(DataFrame.unionByName, parts, past.where("false")))

"""Check, then freeze: the users of a date become a snapshot that never changes."""

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.activation.publish.checks import check_candidate
from lifestage.activation.publish.config import PublishSettings
from lifestage.activation.publish.snapshot import describe, latest, next_revision, to_snapshot_users
from lifestage.platform.errors import CheckError
from lifestage.platform.job import Job
from lifestage.platform.result import Candidate, Check
from lifestage.platform.runtime.frames import local_rows, materialize
from lifestage.users.identity.regrouping import JOURNAL, Regrouped, find_regrouped_users, to_users_of_date


def run(job: Job, config: PublishSettings) -> None:
    """Publish the run's newest date, unless the same content is published already.

    Rows first, the manifest last: a snapshot exists once its manifest does, so a run that is killed between them
    publishes nothing, and the next one writes the same rows again.
    """
    _check_own(job)
    as_of = F.col("as_of") == F.lit(job.run.as_of)
    rows = [(each, job.read(each.table.name).where(as_of)) for each in job.results]
    # Described, then copied: the same rows twice.
    users = to_snapshot_users(job.read("user_features").where(as_of), rows).persist()
    try:
        content = describe(users, job.results)
        snapshots = job.read("snapshots")
        revision, is_published = next_revision(snapshots, job.run.as_of, content["digest"])
        # Of the date itself, where it was published before: what is built again is held against what it was.
        before = latest(snapshots.where(F.col("as_of") <= F.lit(job.run.as_of)))
        n_merged = _n_merged(job, before, content, users)
        candidate = Candidate(job.run.as_of, job.read, content, before, config)
        checks = [*check_candidate(candidate, job.results, n_merged)]
        _stop_on_failure(checks)
        if is_published:
            return
        snapshot_id = f"{job.run.as_of}.r{revision}"
        copied = users.withColumn("snapshot_id", F.lit(snapshot_id))
        job.write("snapshot_users", copied, {"snapshot_id": [snapshot_id]})
        _write_manifest(job, snapshot_id, revision, content, checks)
    finally:
        users.unpersist()


def _check_own(job: Job) -> None:
    """What a run publishes it has built itself: its row then says truly what the tables contain."""
    others = [each.table.name for each in job.results if not job.has_written(each.table.name)]
    if others:
        raise CheckError(
            f"not built by run {job.run.run_id}: {', '.join(others)}: run the steps before publish too"
        )


def _n_merged(
    job: Job, before: Mapping[str, Any] | None, content: Mapping[str, Any], users: DataFrame
) -> int:
    """How many fewer users there are for having merged: they have not vanished. Counted where some are missing."""
    if before is None or content["n_users"] >= before["n_users"]:
        return 0
    built = [(before["as_of"], before["journal_version"]), (job.run.as_of, _journal_version(job))]
    known = job.read("snapshot_users").where(F.col("snapshot_id") == before["snapshot_id"])
    then, now = (to_users_of_date(rows, each) for rows, each in zip((known, users), built, strict=True))
    others = find_regrouped_users(job.read, built, then.unionByName(now))
    merged = materialize(others.where(F.col("change") == Regrouped.MERGED))
    were, are = (merged.join(rows, on="user_id", how="left_semi").count() for rows in (known, users))
    return max(were - are, 0)


def _journal_version(job: Job) -> int:
    return job.store.version(job.table(JOURNAL)) or 0


def _strategies(job: Job) -> list[tuple[Any, ...]]:
    """What is done with each group that has a strategy, in the order of the map."""
    return [
        (kind, name, list(each.touchpoints), each.benefits, each.message, each.owner)
        for result in job.results
        if result.declaration.strategies
        for kind, by_name in result.declaration.strategies(result.config).items()
        for name, each in by_name.items()
    ]


def _stop_on_failure(checks: list[Check]) -> None:
    failed = [f"{check.name}: {check.detail}" for check in checks if not check.passed]
    if failed:
        raise CheckError("nothing was published, the latest snapshot stays:\n" + "\n".join(failed))


def _write_manifest(
    job: Job,
    snapshot_id: str,
    revision: int,
    content: Mapping[str, Any],
    checks: list[Check],
) -> None:
    model = (
        job.read("user_segments")
        .where(F.col("as_of") == F.lit(job.run.as_of))
        .agg(F.max("model_id").alias("id"))
        .first()
    )
    manifest = {
        "snapshot_id": snapshot_id,
        "as_of": job.run.as_of,
        "revision": revision,
        "published_at": job.run.now,
        "journal_version": _journal_version(job),
        "run_id": job.run.run_id,
        "n_users": content["n_users"],
        "digest": content["digest"],
        "counts": content["counts"],
        "model_id": model["id"] if model else None,
        "checks": [astuple(check) for check in checks],
        "strategies": _strategies(job),
        "config_hash": job.run.config_hash,
        "code_version": job.run.code_version,
        "erased": 0,
    }
    table = job.table("snapshots")
    row = tuple(manifest[name] for name in table.names)
    job.write("snapshots", local_rows(job.spark, [row], table.schema))

"""Published snapshots: the list of them, their manifests, and their users."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.errors import NoDataError
from lifestage.project.opening import Project, ReadableProject
from lifestage.project.registry import results_of
from lifestage.services.completed import LATEST, N_NEAREST, CompletedTables, Row, find_last_run, read_table


@dataclass(frozen=True)
class Summary:
    """A snapshot as one line of a list."""

    snapshot_id: str
    as_of: date
    published_at: datetime
    n_users: int
    n_checks: int
    n_checks_passed: int
    is_latest: bool


def list_snapshots(project: ReadableProject) -> list[Summary]:
    """Every published snapshot, the latest first."""
    return [
        Summary(
            snapshot_id=row["snapshot_id"],
            as_of=row["as_of"],
            published_at=row["published_at"],
            n_users=row["n_users"],
            n_checks=len(row["checks"] or ()),
            n_checks_passed=sum(check["passed"] for check in row["checks"] or ()),
            is_latest=number == 0,
        )
        for number, row in enumerate(read_manifests(project))
    ]


def read_manifests(project: ReadableProject) -> list[Row]:
    """The manifest of each published snapshot, the latest first; empty before the first completed run."""
    run = find_last_run(project)
    if run is None:
        return []
    # One small row per snapshot.
    rows = CompletedTables(project, run).find("snapshots")
    return sorted(rows, key=lambda row: (row["as_of"], row["revision"]), reverse=True)


def find_manifest(project: ReadableProject, snapshot_id: str) -> Row:
    """The manifest of one snapshot.

    Args:
        project: an open project.
        snapshot_id: its id; or a date for its newest revision; or `latest`.

    Raises:
        NoDataError: there is no such snapshot. The message names the nearest.
    """
    manifests = read_manifests(project)
    if not manifests:
        raise NoDataError("no snapshot has been published yet: start `lifestage run`")
    if snapshot_id == LATEST:
        return manifests[0]
    for manifest in manifests:
        if snapshot_id in (manifest["snapshot_id"], str(manifest["as_of"])):
            return manifest
    raise NoDataError(f"there is no snapshot {snapshot_id}: {_suggest_snapshots(snapshot_id, manifests)}")


def read_users(project: Project, snapshot_id: str) -> DataFrame:
    """The rows of one snapshot, one per user."""
    return read_table(project, "snapshot_users").where(F.col("snapshot_id") == snapshot_id)


def list_kinds(project: ReadableProject) -> tuple[str, ...]:
    """The kinds of groups whose users a manifest counts, such as stage, in the order of the map."""
    return tuple(kind for each in results_of(project.config) for kind in each.groups)


def _suggest_snapshots(wanted: str, manifests: Iterable[Row]) -> str:
    """The nearest snapshots: by date if the id begins with one, otherwise by spelling."""
    by_date = {row["snapshot_id"]: row["as_of"] for row in manifests}
    try:
        day = date.fromisoformat(wanted[:10])
        nearest = sorted(sorted(by_date, key=lambda name: (abs(by_date[name] - day), name))[:N_NEAREST])
    except ValueError:
        nearest = get_close_matches(wanted, by_date, n=N_NEAREST, cutoff=0) or list(by_date)[:N_NEAREST]
    return f"the nearest are {', '.join(nearest)}"

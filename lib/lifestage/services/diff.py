"""The difference between two snapshots."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame

from lifestage.activation.publish.diff import MOVES, changes, diff, groups_to_compare, moves
from lifestage.project.opening import Project
from lifestage.project.registry import results_of
from lifestage.services.completed import reader
from lifestage.services.snapshots import find_manifest, read_users
from lifestage.users.identity.regrouping import find_regrouped_users, to_users_of_date


@dataclass(frozen=True)
class Difference:
    """What changed between two snapshots. The numbers of stages, tiers and segments limit its size."""

    before: str
    after: str
    changes: tuple[Mapping[str, Any], ...]
    """Users who entered, left, stayed, merged or split, with their value."""
    moves: tuple[Mapping[str, Any], ...]
    """Moves between groups by kind, the most frequent first."""


def compare_snapshots(project: Project, before: str, after: str) -> Difference:
    """The difference between two snapshots, each given by its id, its date, or `latest`."""
    manifests = [find_manifest(project, each) for each in (before, after)]
    ids = [manifest["snapshot_id"] for manifest in manifests]
    built = [(manifest["as_of"], manifest["journal_version"]) for manifest in manifests]
    users = [read_users(project, each) for each in ids]
    dated = [to_users_of_date(rows, each) for rows, each in zip(users, built, strict=True)]
    others = find_regrouped_users(reader(project), built, reduce(DataFrame.unionByName, dated))
    groups = groups_to_compare(results_of(project.config))
    # Both summaries read the difference.
    difference = diff(users[0], users[1], others, groups).persist()
    try:
        by_change = [row.asDict() for row in changes(difference).orderBy("change").collect()]
        by_move = [row.asDict() for row in moves(difference, groups).select(*MOVES).collect()]
    finally:
        difference.unpersist()
    return Difference(ids[0], ids[1], tuple(by_change), tuple(sorted(by_move, key=_order)))


def list_compared_kinds(project: Project) -> tuple[str, ...]:
    """The kinds of groups whose moves a difference lists, in the order of the map."""
    return tuple(groups_to_compare(results_of(project.config)))


def _order(move: Mapping[str, Any]) -> tuple[str, int, str, str]:
    return move["kind"], -move["n_users"], str(move["moved_from"]), str(move["moved_to"])

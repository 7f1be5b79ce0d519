"""Movement between groups: the users of two dates by their group on each date.

Users who merged, split or were renamed between the dates neither came nor left, so they are counted apart. Moves depend
on the date before, and so on which dates were built. They are computed on read and are no table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.reporting.grids import HIDDEN, Cell, figure
from lifestage.platform.reporting.pivots import USERS, pivot
from lifestage.platform.reporting.section import Source
from lifestage.platform.reporting.words import Words
from lifestage.platform.runtime.frames import materialize
from lifestage.users.identity.regrouping import (
    LATEST_VERSION,
    Regrouped,
    add_journal_version,
    find_regrouped_users,
    journal_versions,
)
from lifestage.users.resolution import IS_PERSON

READS = ("user_features", "runs", "identity_map", "identity_past", "identity_changes")
"""The tables that read_regrouped_users reads."""


@dataclass(frozen=True)
class Move:
    """Users by their group on two dates; None on the date on which they have no group."""

    moved_from: str | None
    moved_to: str | None
    n_users: int


@dataclass(frozen=True)
class RegroupedUsers:
    """Users who merged, split or were renamed since the date before.

    `users` has user_id and change, once per user. `counts` has the number of users on the date before and now, by
    change; at most three.
    """

    users: DataFrame
    counts: dict[str, tuple[int, int]]


def read_regrouped_users(source: Source) -> RegroupedUsers:
    """Read the regrouped users of a report. Several sections need them, so call it through `source.compute_once`."""
    read, as_of = source.read, source.as_of
    versions = {as_of: LATEST_VERSION, **journal_versions(read("runs"))}
    built = [(day, versions[day]) for day in (source.before, as_of) if day in versions]
    known = add_journal_version(read("user_features").where(IS_PERSON), built)
    users = materialize(find_regrouped_users(read, built, known).drop("as_of"))
    return RegroupedUsers(users, count_regrouped_users(known, users, as_of))


def count_regrouped_users(known: DataFrame, users: DataFrame, as_of: date) -> dict[str, tuple[int, int]]:
    """Number of users on the date before and on as_of, by change; at most three.

    Args:
        known: the users of both dates, with user_id and as_of.
        users: regrouped users, with user_id and change.
        as_of: the later date.
    """
    is_now = F.col("as_of") == F.lit(as_of)
    rows = known.join(F.broadcast(users), on="user_id").groupBy("change")
    counts = rows.agg(F.count_if(~is_now).alias("n_before"), F.count_if(is_now).alias("n_after"))
    return {row["change"]: (row["n_before"], row["n_after"]) for row in counts.collect()}


def count_moves(
    rows: DataFrame, group: str, as_of: date, before: date | None, users: DataFrame
) -> tuple[Move, ...]:
    """Users by their group on two dates, most users first; bounded by pairs of groups. Empty without a date before.

    Args:
        rows: unique per user_id and as_of. A NULL group means that a user has none.
        group: the column of the group.
        as_of: the later date.
        before: the earlier date.
        users: regrouped users, with user_id and change. They move from their group to that change, and from that change
            to their new group, because nobody knows which of them would have moved.
    """
    if before is None:
        return ()
    sides = [
        rows.where(F.col("as_of") == F.lit(day)).select("user_id", F.col(group).cast("string").alias(name))
        for day, name in ((before, "moved_from"), (as_of, "moved_to"))
    ]
    both = sides[0].join(sides[1], on="user_id", how="full")
    ends = F.array(
        F.struct("moved_from", F.col("change").alias("moved_to")),
        F.struct(F.col("change").alias("moved_from"), "moved_to"),
    )
    changed = (
        both.join(F.broadcast(users), on="user_id")
        .select(F.inline(ends))
        .where("moved_from IS NOT NULL AND moved_to IS NOT NULL")
    )
    same = both.join(F.broadcast(users), on="user_id", how="left_anti").select("moved_from", "moved_to")
    pairs = pivot(same.unionByName(changed), ("moved_from", "moved_to"))
    moves = [Move(was, now, values[USERS]) for (was, now), values in pairs.items() if was or now]
    return tuple(sorted(moves, key=lambda move: (-move.n_users, str(move.moved_from), str(move.moved_to))))


def group_cells(moves: Sequence[Move], group: str, words: Words, least_users: int) -> tuple[Cell, Cell]:
    """Users who came into a group and users who left it since the date before."""
    same_or_regrouped = {group, *Regrouped}
    entered = sum(m.n_users for m in moves if m.moved_to == group and m.moved_from not in same_or_regrouped)
    left = sum(m.n_users for m in moves if m.moved_from == group and m.moved_to not in same_or_regrouped)
    stayed = sum(m.n_users for m in moves if m.moved_from == m.moved_to == group)
    return movement_cells(entered, left, stayed, words, least_users)


def movement_cells(entered: int, left: int, stayed: int, words: Words, least_users: int) -> tuple[Cell, Cell]:
    """Entered and left users with their sign. Both are withheld if a small number of users stayed, which would follow."""
    if 0 < stayed < least_users:
        return HIDDEN, HIDDEN
    cells = [figure(words.change(n), not 0 < abs(n) < least_users) for n in (entered, -left)]
    return cells[0], cells[1]

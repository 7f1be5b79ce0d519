"""Which cells of a figure may be shown without telling of a few people."""

from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def shown(
    users: Mapping[Key, int], least: int, lines: Collection[Collection[Key]] | None = None
) -> frozenset[Key]:
    """The cells that may be shown: none of 1 to `least` - 1 users, nor one that gives such a cell away.

    A line is a set of cells whose sum is on the page as well. Where a line withholds a single cell, or cells of fewer
    than `least` users together, its next smallest cell is withheld too, until nothing changes. Cells without users are
    shown as 0. What only equations over many lines would tell is not looked for.

    Args:
        users: users of each cell.
        least: fewest users that are shown.
        lines: cells whose sum is told; all cells are one line by default.
    """
    withheld = {key for key, n in users.items() if 0 < n < least}
    while more := {
        key for line in (lines or [users.keys()]) for key in _giving_away(users, line, withheld, least)
    }:
        withheld |= more
    return frozenset(users.keys() - withheld)


def _giving_away(
    users: Mapping[Key, int], line: Collection[Key], withheld: Collection[Key], least: int
) -> list[Key]:
    """The next cell of a line to withhold, where those withheld could be told from its sum."""
    hidden = [users[key] for key in line if key in withheld]
    if not hidden or (len(hidden) > 1 and sum(hidden) >= least):
        return []
    others = [key for key in line if users.get(key, 0) and key not in withheld]
    return sorted(others, key=lambda key: (users[key], str(key)))[:1]

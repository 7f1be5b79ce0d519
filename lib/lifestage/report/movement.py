"""Who came into a group and who left it, for every figure that has a movement."""

from collections.abc import Sequence

from lifestage.report.content import Flow
from lifestage.report.grids import Cell, figure
from lifestage.report.words import Words


def movement(flows: Sequence[Flow], group: str, words: Words, least: int) -> tuple[Cell, Cell]:
    """How many came into a group and left it since the date before."""
    entered = sum(f.n_users for f in flows if f.moved_to == group and f.moved_from != group)
    left = sum(f.n_users for f in flows if f.moved_from == group and f.moved_to != group)
    return moved(entered, words, least), moved(-left, words, least)


def moved(n: int, words: Words, least: int) -> Cell:
    """A number of users with its sign, or that they are too few to tell."""
    return figure(words.change(n), not 0 < abs(n) < least)

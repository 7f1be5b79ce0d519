"""Disclosure control: which numbers of users a page may show without revealing a small group.

Each section of a page contributes cells (numbers of users that may be small) and equations (what a reader knows about
them). The decision is made once for the whole page, because a sum in one section may reveal a number in another.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Cell = tuple[Any, ...]
"""The key of a number of users: its kind, then what it counts, such as ("stage", as_of, "mature")."""
Equation = Mapping[Cell, int]
"""Factors of cells whose sum is on the page, or is 0."""

# Cells that equations and figures of several sections name.
STAGE = "stage"
"""Users in a stage on a date: (STAGE, as_of, stage)."""
BUYERS: Cell = ("all", "buyers")
"""Users with a purchase in the period of RFM."""
REGROUPED = "regrouped"
"""Users who merged, split or were renamed: (REGROUPED, change, side)."""
SIDES = (1, 2)
"""The side of a cell of users on two dates: before and after."""


@dataclass(frozen=True)
class Disclosure:
    """All cells of a page, and which of them may be shown."""

    cells: Mapping[Cell, int]
    shown: frozenset[Cell]
    least_users: int
    """Numbers about fewer users are withheld."""

    def __contains__(self, cell: Cell) -> bool:
        """Whether a cell may be shown."""
        return cell in self.shown

    def is_small(self, n_users: int) -> bool:
        """Whether a number of users is too small to be shown. 0 is not."""
        return 0 < n_users < self.least_users


def disclose(cells: Mapping[Cell, int], equations: Sequence[Equation], least_users: int) -> Disclosure:
    """Decide which cells of a page may be shown.

    An equation may name cells of other sections. Cells that are not on the page are left out of the equation.
    """
    known = [{cell: factor for cell, factor in each.items() if cell in cells} for each in equations]
    return Disclosure(cells, find_showable_cells(cells, known, least_users), least_users)


def find_showable_cells(
    cells: Mapping[Cell, int], equations: Sequence[Equation], least_users: int
) -> frozenset[Cell]:
    """The cells that may be shown: no cell of 1 to `least_users` - 1 users, and none that reveals such a cell.

    Further cells are withheld, the smallest first, until two conditions hold. In each equation, either no cell is
    withheld, or several cells with at least `least_users` users in total. And no small cell follows from all equations
    together. Cells without users are shown as 0. If all users are in small cells, there may be nothing left to withhold.

    Args:
        cells: number of users of each cell.
        equations: what a reader knows about the cells.
        least_users: the smallest number that is shown.
    """
    small = {cell for cell, n in cells.items() if 0 < n < least_users}
    withheld = set(small)
    while more := _choose_next(cells, equations, least_users, withheld, small):
        withheld |= more
    return frozenset(cells.keys() - withheld)


def _choose_next(
    cells: Mapping[Cell, int],
    equations: Sequence[Equation],
    least_users: int,
    withheld: Collection[Cell],
    small: Collection[Cell],
) -> set[Cell]:
    """Choose what to withhold next: the smallest open cell of each equation that reveals a small cell.

    If no single equation does, choose the smallest open cell that shares an equation with a small cell that follows from
    all equations together.
    """
    revealing = [each for each in equations if _is_revealing(cells, least_users, each, withheld)]
    if more := {cell for each in revealing for cell in _pick_smallest(cells, each.keys() - withheld)}:
        return more
    solved = _solve(equations, [*withheld]) & set(small)
    near = {cell for each in equations if solved & each.keys() for cell in each.keys() - withheld}
    return set(_pick_smallest(cells, near))


def _is_revealing(
    cells: Mapping[Cell, int], least_users: int, equation: Equation, withheld: Collection[Cell]
) -> bool:
    hidden = [cells[cell] for cell in equation if cell in withheld]
    return len(hidden) == 1 or 0 < sum(hidden) < least_users


def _pick_smallest(cells: Mapping[Cell, int], open_cells: Collection[Cell]) -> list[Cell]:
    return sorted((cell for cell in open_cells if cells[cell]), key=lambda cell: (cells[cell], str(cell)))[:1]


def _solve(equations: Sequence[Equation], withheld: Sequence[Cell]) -> set[Cell]:
    """The withheld cells that have only one solution: those that no direction of the null space of the equations changes."""
    if not (withheld and equations):
        return set()
    factors = np.array([[each.get(cell, 0) for cell in withheld] for each in equations], dtype=float)
    _, sizes, directions = np.linalg.svd(factors)
    free = directions[int((sizes > 1e-9).sum()) :]
    return {cell for place, cell in enumerate(withheld) if not np.abs(free[:, place]).max(initial=0) > 1e-9}


def cells_of_kind(cells: Collection[Cell], kind: str) -> list[Cell]:
    """The cells of a kind, in order."""
    return [cell for cell in cells if cell[0] == kind]

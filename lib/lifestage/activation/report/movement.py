"""Who came into a group and who left it, for every figure that has a movement."""

from collections.abc import Sequence

from lifestage.activation.report.content import Flow
from lifestage.platform.reporting.grids import HIDDEN, Cell, figure
from lifestage.platform.reporting.words import Words
from lifestage.users.identity.regrouping import Regrouped


def movement(flows: Sequence[Flow], group: str, words: Words, least: int) -> tuple[Cell, Cell]:
    """How many came into a group and left it since the date before."""
    entered = sum(f.n_users for f in flows if f.moved_to == group and f.moved_from not in (group, *Regrouped))
    left = sum(f.n_users for f in flows if f.moved_from == group and f.moved_to not in (group, *Regrouped))
    stayed = sum(f.n_users for f in flows if f.moved_from == f.moved_to == group)
    return moved(entered, left, stayed, words, least)


def moved(entered: int, left: int, stayed: int, words: Words, least: int) -> tuple[Cell, Cell]:
    """Numbers of users with their sign; withheld where they are too few, or those who stayed follow from them."""
    if 0 < stayed < least:
        return HIDDEN, HIDDEN
    return tuple(figure(words.change(n), not 0 < abs(n) < least) for n in (entered, -left))  # type: ignore[return-value]

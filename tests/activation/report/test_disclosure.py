"""No number of users on a whole page reveals a small one."""

from decimal import Decimal

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from activation.report.builders import SECTIONS
from analytics.channels.section_builders import empty_channels
from analytics.segments.section_builders import empty_segments, outside, segment
from analytics.stages.section_builders import empty_stages
from analytics.value.section_builders import empty_value, unscored
from lifestage.activation.report.content import SectionData, decide_disclosure
from lifestage.analytics.segments.section import MODELLED
from lifestage.analytics.stages.section_data import StageCount
from lifestage.analytics.value.section_data import RfmCount, TierCount
from lifestage.platform.as_of_dates import EarlierDates
from lifestage.platform.reporting.disclosure import BUYERS
from lifestage.users.identity.movement import Move
from support.reporting import AS_OF, BEFORE

LEAST = 5
small = st.integers(0, 12)
# One name has a single cell, the other three.
NAMES = {"5[1-5]": "best", "[1-4][1-5]": "others"}


@st.composite
def pages(draw):
    """Users who are in a stage on two dates, some of them scored, in tiers and segments; every group may be small."""
    moves = {(a, b): draw(small) for a in ("x", "y", None) for b in ("x", "y") if a or b}
    moves |= {(a, "merged"): draw(small) for a in ("x", "y")} | {
        ("merged", b): draw(small) for b in ("x", "y")
    }
    before = {a: sum(n for (was, _), n in moves.items() if was == a) for a in ("x", "y")}
    now = {b: sum(n for (_, at), n in moves.items() if at == b) for b in ("x", "y")}
    everybody = sum(now.values())
    # Of fewer no number is shown, and there is nobody to hide them among.
    assume(min(everybody, sum(before.values())) >= 2 * LEAST)
    scored = draw(st.integers(0, everybody))
    cells = split(draw, scored, [(5, 5), (4, 1), (3, 1), (1, 1)])
    modelled = draw(st.integers(0, everybody))
    return {
        "lifecycle": empty_stages(
            earlier=EarlierDates(BEFORE),
            counts=tuple(StageCount(day, stage, n) for day, at in ((BEFORE, before), (AS_OF, now)) for stage, n in at.items() if n),
            moves=tuple(Move(*pair, n) for pair, n in moves.items() if n),
        ),
        "channels": empty_channels(
            regrouped={"merged": (sum(moves[a, "merged"] for a in "xy"), sum(moves["merged", b] for b in "xy"))}
        ),
        "value": empty_value(
            names=NAMES,
            rfm=(
                *[RfmCount("scored", 365, *cell, n, Decimal()) for cell, n in cells.items() if n],
                *[unscored(n) for n in [everybody - scored] if n],
            ),
            tiers=tuple(TierCount(tier, n, Decimal(), Decimal()) for tier, n in split(draw, scored, ["high", "mid", "low"]).items() if n),
        ),
        "segments": empty_segments(
            counts=(
                *[segment(i, str(i), n) for i, n in split(draw, modelled, [1, 2]).items() if n],
                *[outside(n) for n in [everybody - modelled] if n],
            ),
        ),
    }  # fmt: skip


def split(draw, total, groups):
    cuts = sorted(draw(st.lists(st.integers(0, total), min_size=len(groups) - 1, max_size=len(groups) - 1)))
    return {group: high - low for group, low, high in zip(groups, [0, *cuts], [*cuts, total], strict=True)}


def equations(value, cells):
    """What a reader knows to be equal, each as the factors of cells: sums by date, and groups of one population."""
    of = {
        kind: [cell for cell in cells if cell[0] == kind]
        for kind in ("stage", "move", "rfm", "name", "tier", "unscored", "segment", "outside")
    }
    found = [dict.fromkeys([cell for cell in of["stage"] if cell[1] == day], 1) for day in (BEFORE, AS_OF)]
    found += [{**dict.fromkeys(of[kind], 1), BUYERS: -1} for kind in ("rfm", "name", "tier")]
    found += [
        {**dict.fromkeys(of["unscored"], 1), BUYERS: 1},
        {**dict.fromkeys(of["outside"], 1), MODELLED: 1},
    ]
    found += [{**dict.fromkeys(of["segment"], 1), MODELLED: -1}]
    found += [
        {name: -1, **{cell: 1 for cell in of["rfm"] if value.name_of(*cell[1:]) == name[1]}}
        for name in of["name"]
    ]
    for side, day in ((1, BEFORE), (2, AS_OF)):
        for stage in {cell[side] for cell in of["move"]} - {None, "merged"}:
            found.append(
                {("stage", day, stage): -1, **{cell: 1 for cell in of["move"] if cell[side] == stage}}
            )
        merged = [cell for cell in of["move"] if cell[3 - side] == "merged"]
        found.append({("regrouped", "merged", side): -1, **dict.fromkeys(merged, 1)})
    return found


def decided(page):
    return decide_disclosure([SectionData(SECTIONS[key], data) for key, data in page.items()], LEAST)


@given(pages())
def test_no_small_number_follows_from_all_that_is_on_the_page(page):
    """Unless everything that could hide it is withheld: of eleven users in one stage and ten the day before, one is new."""
    seen = decided(page)
    cells = seen.cells
    hidden = [cell for cell in cells if cell not in seen]
    told = equations(page["value"], cells)
    known = np.array([[each.get(cell, 0) for cell in hidden] for each in told], dtype=float)
    for place, cell in enumerate(hidden):
        alone = np.zeros(len(hidden))
        alone[place] = 1
        follows = np.linalg.matrix_rank(np.vstack([known, alone])) == np.linalg.matrix_rank(known)
        near = {other for each in told if cell in each for other in each}
        is_open = any(cells.get(other) and other in seen for other in near)
        assert not (follows and is_open and 0 < cells[cell] < LEAST), (cell, cells, hidden)


@given(pages())
def test_what_is_shown_is_not_small(page):
    seen = decided(page)
    assert all(seen.cells[cell] == 0 or seen.cells[cell] >= LEAST for cell in seen.shown)

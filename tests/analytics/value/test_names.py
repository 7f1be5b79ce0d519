"""The R x F map: 25 cells, each named once."""

import pytest

from analytics.value.builders import SHIPPED, buyer, config, scores
from lifestage.analytics.value.rfm import names_by_cell
from support.frames import assert_rows

# Rows are R = 1..5, columns F = 1..5.
MAP = {
    1: ["hibernating", "hibernating", "at risk", "at risk", "can't lose"],
    2: ["hibernating", "hibernating", "at risk", "at risk", "can't lose"],
    3: ["about to sleep", "about to sleep", "need attention", "loyal", "loyal"],
    4: ["promising", "potential loyalist", "potential loyalist", "loyal", "loyal"],
    5: ["new", "potential loyalist", "potential loyalist", "champions", "champions"],
}
CELLS = [(r, f) for r in MAP for f in range(1, 6)]
# With these cut points a recency of 5, 4, 3, 2, 1 scores 1 to 5, and a frequency of 1 to 5 too.
PLAIN = config(cuts={"recency": (4, 3, 2, 1), "frequency": (2, 3, 4, 5)})


def test_every_cell_is_named_exactly_once_as_defined():
    assert names_by_cell(SHIPPED.names) == {(r, f): [MAP[r][f - 1]] for r, f in CELLS}


def test_a_user_has_the_name_of_the_cell(spark):
    rows = [buyer(f"{r}{f}", recency=6 - r, frequency=f) for r, f in CELLS]
    assert_rows(
        scores(spark, rows, PLAIN).select("user_id", "rfm_name"),
        [(f"{r}{f}", MAP[r][f - 1]) for r, f in CELLS],
    )


@pytest.mark.parametrize(
    ("changed", "cell", "names"),
    [({"33": None}, (3, 3), []), ({"3[3-4]": "steady"}, (3, 4), ["loyal", "steady"])],
)
def test_cells_without_a_name_or_with_two_are_visible(changed, cell, names):
    changed = {pattern: name for pattern, name in {**SHIPPED.names, **changed}.items() if name}
    assert names_by_cell(changed)[cell] == names

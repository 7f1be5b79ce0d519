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


def test_ties_that_leave_fewer_than_three_scores_name_nobody(spark):
    """32 of 40 customers bought once, all of them on one day: a first buyer of that day is not hibernating."""
    rows = [buyer(f"once{n}", recency=11, frequency=1) for n in range(32)]
    rows += [buyer(f"twice{n}", recency=11, frequency=2) for n in range(8)]
    actual = scores(spark, rows).groupBy("r_score", "f_score", "rfm_name").count()
    assert_rows(actual, [(1, 1, "insufficient variety", 32), (1, 5, "insufficient variety", 8)])


@pytest.mark.parametrize("tied", ["recency", "frequency"])
def test_one_measure_without_variety_is_enough(spark, tied):
    rows = [buyer(f"u{n}", **{"recency": 9 - n, "frequency": 1 + n, tied: 1}) for n in range(5)]
    assert_rows(scores(spark, rows).select("rfm_name").distinct(), [("insufficient variety",)])


def test_three_scores_are_variety_and_fixed_cut_points_are_always(spark):
    """The known answer of frequencies 1, 1, 1, 2, 5 keeps its names."""
    rows = [buyer(f"u{n}", recency=9 - f, frequency=f) for n, f in enumerate([1, 1, 1, 2, 5])]
    expected = [(1, 1, "hibernating"), (4, 4, "loyal"), (5, 5, "champions")]
    assert_rows(scores(spark, rows).select("r_score", "f_score", "rfm_name").distinct(), expected)
    rows = [buyer(f"u{n}", recency=1, frequency=1) for n in range(5)]
    assert_rows(scores(spark, rows, PLAIN).select("rfm_name").distinct(), [("new",)])


def test_users_who_are_not_scored_have_no_name(spark):
    rows = [buyer("u1"), buyer("u2"), buyer("silent", frequency=0)]
    names = [("u1", "insufficient variety"), ("u2", "insufficient variety"), ("silent", None)]
    assert_rows(scores(spark, rows).select("user_id", "rfm_name"), names)


@pytest.mark.parametrize(
    ("changed", "cell", "names"),
    [({"33": None}, (3, 3), []), ({"3[3-4]": "steady"}, (3, 4), ["loyal", "steady"])],
)
def test_cells_without_a_name_or_with_two_are_visible(changed, cell, names):
    changed = {pattern: name for pattern, name in {**SHIPPED.names, **changed}.items() if name}
    assert names_by_cell(changed)[cell] == names

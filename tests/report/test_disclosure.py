from hypothesis import given
from hypothesis import strategies as st

from lifestage.report.disclosure import shown

counts = st.dictionaries(st.integers(0, 9), st.integers(0, 30), max_size=10)


def test_small_cells_are_withheld_and_empty_ones_shown():
    assert shown({"a": 0, "b": 4, "c": 3, "d": 5}, 5) == {"a", "d"}


def test_a_lone_small_cell_takes_the_next_smallest_with_it():
    """100 in all, less 60 and 30: the rest would be told."""
    assert shown({"a": 60, "b": 30, "c": 7, "d": 3}, 5) == {"a", "b"}


def test_each_line_whose_sum_is_told_hides_enough():
    table = {("r1", "c1"): 1, ("r1", "c2"): 50, ("r2", "c1"): 60, ("r2", "c2"): 70}
    rows = [[("r1", "c1"), ("r1", "c2")], [("r2", "c1"), ("r2", "c2")]]
    columns = [[("r1", "c1"), ("r2", "c1")], [("r1", "c2"), ("r2", "c2")]]
    assert shown(table, 5, rows) == {("r2", "c1"), ("r2", "c2")}
    # A single withheld cell of the second row would be told, and with it the first column.
    assert shown(table, 5, rows + columns) == frozenset()


def test_nothing_is_withheld_where_every_number_may_be_told():
    assert shown({"a": 1, "b": 2}, 1) == {"a", "b"}


@given(counts, st.integers(1, 10))
def test_what_is_withheld_cannot_be_told_from_the_sum(users, least):
    seen = shown(users, least)
    hidden = [n for key, n in users.items() if key not in seen]
    assert all(users[key] == 0 or users[key] >= least for key in seen)
    # Either enough is hidden, or nothing is left that could hide it.
    assert not hidden or (len(hidden) > 1 and sum(hidden) >= least) or not any(users[key] for key in seen)

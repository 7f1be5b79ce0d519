from lifestage.platform.reporting.disclosure import disclose, find_showable_cells


def cell(name):
    return (name,)


def total(*names):
    return {cell(name): 1 for name in names}


def users(**counts):
    return {cell(name): n for name, n in counts.items()}


def names(cells):
    return {name for (name,) in cells}


def test_small_cells_are_withheld_and_empty_ones_shown():
    assert names(find_showable_cells(users(a=0, b=4, c=3, d=5), [total(*"abcd")], 5)) == {"a", "d"}


def test_a_single_withheld_cell_also_withholds_the_next_smallest():
    """100 in all, less 60 and 30: the rest would be told."""
    assert names(find_showable_cells(users(a=60, b=30, c=7, d=3), [total(*"abcd")], 5)) == {"a", "b"}


def test_withheld_cells_with_too_few_users_together_withhold_another_one():
    assert names(find_showable_cells(users(a=60, b=30, c=2, d=1), [total(*"abcd")], 5)) == {"a"}


def test_known_sums_of_rows_and_columns_withhold_four_cells():
    table = users(a1=1, a2=50, b1=60, b2=70)
    rows, columns = [total("a1", "a2"), total("b1", "b2")], [total("a1", "b1"), total("a2", "b2")]
    assert names(find_showable_cells(table, rows, 5)) == {"b1", "b2"}
    assert names(find_showable_cells(table, rows + columns, 5)) == set()


def test_a_cell_that_follows_only_from_several_equations_is_withheld():
    """Each equation hides two; of both together a is half of the difference."""
    equations = [total("a", "b", "x"), {cell("a"): 1, cell("b"): -1, cell("y"): 1}]
    assert names(find_showable_cells(users(a=4, b=9, x=20, y=30), equations, 5)) == {"y"}


def test_nothing_is_withheld_if_every_number_may_be_shown():
    assert names(find_showable_cells(users(a=1, b=2), [total("a", "b")], 1)) == {"a", "b"}


def test_cells_of_an_equation_that_are_not_on_the_page_are_left_out_of_it():
    seen = disclose(users(a=3, b=9), [total("a", "b", "elsewhere")], 5)
    assert names(seen.shown) == set()
    assert seen.is_small(3)
    assert not seen.is_small(0)

"""Unreachable stages are reported, and a reachable stage never is."""

import pytest

from lifestage.analytics.stages.reachability import find_unreachable
from lifestage.platform.config.yaml_files import packaged_yaml

SHIPPED = [
    (rung["stage"], rung["when"]) for rung in packaged_yaml("analytics/stages/defaults.yaml")["ladder"]
]


def ladder(*conditions):
    """Name the conditions a, b, c, and so on."""
    return list(zip("abcdefgh", conditions, strict=False))


def test_every_shipped_stage_can_be_reached():
    assert find_unreachable(SHIPPED) == []


@pytest.mark.parametrize("moved", ["churned", "recalled", "visitor"])
def test_a_stage_behind_the_catch_all_cannot_be_reached(moved):
    rungs = dict(SHIPPED)
    condition = rungs.pop(moved)
    assert find_unreachable([*rungs.items(), (moved, condition)]) == [moved]


def test_the_narrower_of_two_thresholds_must_come_first():
    conditions = dict(SHIPPED)
    swapped = [("dormant", conditions["dormant"]), ("churned", conditions["churned"])]
    assert find_unreachable(swapped) == ["churned"]


@pytest.mark.parametrize(
    "conditions",
    [
        ("x > 4", "x > 2", "true"),
        ("x > 4 * y", "x > 2 * y", "true"),
        ("x <= 0.7", "x < 0.8"),
        ("x > 5 AND x < 6", "true"),
        ("x < -50", "x < 0", "true"),
        ("x BETWEEN -3 AND 3", "x IS NULL", "true"),
        ("name IN ('a', 'b')", "name = 'c'", "name <> 'c'", "name IS NULL"),
        ("joined_on < '2026-01-01'", "joined_on > '2026-01-01'", "joined_on = '2026-01-01'"),
        ("is_new", "NOT is_new", "is_new IS NULL"),
        ("is_new IS NOT TRUE", "true"),
        ("x > y", "x < y", "x = y", "true"),
        ("x + y > 10", "x - y > 3", "true"),
        ("length(name) > 3", "name = 'a'", "true"),
        ("x > 1 OR y > 1", "x = 1 AND y = 1", "true"),
        ("x > y", "x > 5", "x <= y"),
        ("code > 5", "code = 'a'", "true"),
        ("date_add(day, 1) > day", "true"),
    ],
)
def test_a_reachable_stage_is_not_reported(conditions):
    assert find_unreachable(ladder(*conditions)) == []


@pytest.mark.parametrize(
    ("conditions", "lost"),
    [
        (("x > 2", "x > 4"), ["b"]),
        (("x > 2", "x <= 2", "x IS NULL", "x = 0"), ["d"]),
        (("x > 5 AND x < 3", "true"), ["a"]),
        (("x = 1", "x = 1", "true"), ["b"]),
        (("is_new", "NOT is_new", "is_new IS NULL", "true"), ["d"]),
        (("name = 'a'", "name IN ('a')", "true"), ["b"]),
        (("x > 0 OR x <= 0 OR x IS NULL", "y > 1", "true"), ["b", "c"]),
        (("NULL", "true"), ["a"]),
        (("x > NULL", "true"), ["a"]),
        (("false", "true"), ["a"]),
        (("length(name) > 3", "length(name) > 3", "true"), ["b"]),
        (("length(name) > 3", "name = 'a'", "name IN ('a')", "true"), ["c"]),
        (("X > 1", "x > 1", "sqlite_x > 1", "X > 2"), ["d"]),
    ],
)
def test_unreachable_stages_are_reported_in_the_ladders_order(conditions, lost):
    assert find_unreachable(ladder(*conditions)) == lost


@pytest.mark.parametrize(
    "conditions",
    [
        [" AND ".join(f"x{i} > {bound}" for i in range(12)) for bound in (1, 2)],
        [" AND ".join(f"x{i} > 1" for i in range(70)), "true"],
    ],
)
def test_a_stage_whose_search_is_too_large_is_not_reported(conditions):
    assert find_unreachable(ladder(*conditions)) == []

"""The rule of each date: a change applies from the next as_of, and past dates keep their rule."""

from datetime import date

import pytest

from lifestage.activation.audiences.definitions import Definition, find_new_definitions, rules_on

JAN, FEB, MAR, APR = (date(2026, month, 28) for month in (1, 2, 3, 4))
HISTORY = [Definition("a", FEB, "x > 1"), Definition("a", APR, "x > 2"), Definition("b", FEB, "y")]


@pytest.mark.parametrize(
    ("as_of", "rule"),
    [(JAN, "x > 1"), (FEB, "x > 1"), (MAR, "x > 1"), (APR, "x > 2"), (date(2027, 1, 1), "x > 2")],
)
def test_a_date_has_the_latest_rule_up_to_it_and_the_first_covers_earlier_ones(as_of, rule):
    assert rules_on(HISTORY, as_of) == {"a": rule, "b": "y"}
    assert rules_on(HISTORY[::-1], as_of) == {"a": rule, "b": "y"}


def test_an_audience_that_ended_has_no_rule():
    history = [*HISTORY, Definition("b", APR, None)]
    assert rules_on(history, MAR).keys() == {"a", "b"}
    assert rules_on(history, APR).keys() == {"a"}


def test_an_audience_that_returns_has_its_new_rule():
    history = [Definition("a", JAN, "x"), Definition("a", FEB, None), Definition("a", MAR, "z")]
    assert [rules_on(history, day) for day in (JAN, FEB, MAR)] == [{"a": "x"}, {}, {"a": "z"}]


def test_the_first_run_records_every_rule():
    assert find_new_definitions([], {"a": "x", "b": "y"}, (JAN, FEB), None) == [
        Definition("a", JAN, "x"),
        Definition("b", JAN, "y"),
    ]


def test_an_unchanged_rule_is_not_recorded_again():
    assert find_new_definitions(HISTORY, {"a": "x > 2", "b": "y"}, (date(2026, 5, 1),), APR) == []


def test_white_space_and_the_case_of_keywords_are_no_change():
    stored = [Definition("a", JAN, "x > 1 AND stage = 'Mature'")]
    assert find_new_definitions(stored, {"a": "x>1   and\n stage='Mature'"}, (MAR,), FEB) == []
    assert find_new_definitions(stored, {"a": "x > 1 AND stage = 'mature'"}, (MAR,), FEB) != []


def test_a_change_takes_effect_at_the_first_date_not_built_yet():
    assert find_new_definitions(HISTORY, {"a": "x > 3", "b": "y"}, (MAR, APR, date(2026, 5, 1)), APR) == [
        Definition("a", date(2026, 5, 1), "x > 3")
    ]


def test_a_date_that_was_built_keeps_its_rule_when_it_is_built_again():
    assert find_new_definitions(HISTORY, {"a": "x > 3"}, (JAN, APR), APR) == []


def test_a_run_of_the_past_adds_audiences_that_never_had_a_rule():
    assert find_new_definitions(HISTORY, {"a": "x > 3", "new": "z"}, (FEB, MAR), APR) == [
        Definition("new", FEB, "z")
    ]


def test_an_audience_that_is_no_longer_configured_ends():
    assert find_new_definitions(HISTORY, {"a": "x > 2"}, (date(2026, 5, 1),), APR) == [
        Definition("b", date(2026, 5, 1), None)
    ]
    ended = [*HISTORY, Definition("b", date(2026, 5, 1), None)]
    assert find_new_definitions(ended, {"a": "x > 2"}, (date(2026, 5, 2),), date(2026, 5, 1)) == []


def test_a_killed_run_may_be_run_again_with_another_rule():
    """The date was never completed, so the new rule replaces the recorded one."""
    left = [*HISTORY, Definition("a", date(2026, 5, 1), "x > 3")]
    assert find_new_definitions(left, {"a": "x > 4", "b": "y"}, (date(2026, 5, 1),), APR) == [
        Definition("a", date(2026, 5, 1), "x > 4")
    ]
    assert find_new_definitions(left, {"a": "x > 3", "b": "y"}, (date(2026, 5, 1),), APR) == []

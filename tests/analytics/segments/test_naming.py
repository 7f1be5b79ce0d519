import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.segments.builders import config
from lifestage.analytics.segments.naming import name_holds, name_segments

FEATURES = config().features


def test_a_name_is_the_two_strongest_traits_in_the_order_of_the_config():
    assert name_segments([(0.5, -2.0, 0.4)], FEATURES) == ["high spend, few visits"]
    assert name_segments([(0.1, 0.2, -0.9)], FEATURES) == ["full price"]


def test_a_segment_like_all_users_is_average():
    assert name_segments([(0.1, -0.2, 0.0)], FEATURES) == ["average"]


def test_equal_names_take_a_third_trait():
    profiles = [(1.0, 1.0, 0.5), (2.0, 2.0, -0.5), (-1.0, 0.0, 0.0)]
    assert name_segments(profiles, FEATURES) == [
        "high spend, many visits, discounts",
        "high spend, many visits, full price",
        "low spend",
    ]


def test_names_that_are_still_equal_get_numbers():
    profiles = [(1.0, 1.0, 0.0), (0.0, 0.0, 0.0), (2.0, 2.0, 0.0), (0.1, 0.0, 0.0)]
    assert name_segments(profiles, FEATURES) == [
        "high spend, many visits",
        "average",
        "high spend, many visits (2)",
        "average (2)",
    ]


def test_equally_strong_traits_go_by_the_order_of_the_config():
    assert name_segments([(1.0, -1.0, 1.0)], FEATURES) == ["high spend, few visits"]


def test_a_name_stays_while_its_traits_hold_even_if_others_are_stronger():
    assert name_segments([(0.4, 1.0, -2.0)], FEATURES) == ["many visits, full price"]
    assert name_segments([(0.4, 1.0, -2.0)], FEATURES, ["high spend, many visits"]) == [
        "high spend, many visits"
    ]
    assert name_segments([(0.1, 0.0, 0.0)], FEATURES, ["average"]) == ["average"]


@pytest.mark.parametrize(
    ("before", "profile", "now"),
    [
        ("high spend, many visits", (0.2, 1.0, 0.0), "many visits"),
        ("high spend, many visits", (1.0, -1.0, 0.0), "high spend, few visits"),
        ("average", (0.0, 1.0, 0.0), "many visits"),
        ("words of an earlier configuration", (0.0, 1.0, 0.0), "many visits"),
        ("many visits, high spend", (1.0, 1.0, 0.0), "high spend, many visits"),
        (None, (1.0, 1.0, 0.0), "high spend, many visits"),
    ],
)
def test_a_name_goes_when_one_of_its_traits_does(before, profile, now):
    assert name_segments([profile], FEATURES, [before]) == [now]


def test_a_new_segment_takes_no_name_that_another_keeps():
    profiles = [(2.0, 2.0, 0.0), (1.0, 1.0, 0.0), (1.0, 1.0, 0.0)]
    earlier = [None, "high spend, many visits", "high spend, many visits (2)"]
    assert name_segments(profiles, FEATURES, earlier) == [
        "high spend, many visits (3)",
        "high spend, many visits",
        "high spend, many visits (2)",
    ]


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.floats(-3, 3)] * 3), min_size=1, max_size=9), st.data())
def test_kept_names_are_unique_and_naming_twice_changes_nothing(profiles, data):
    names = name_segments(profiles, FEATURES)
    assert name_segments(profiles, FEATURES, names) == names
    moved = [tuple(x + data.draw(st.floats(-1, 1)) for x in profile) for profile in profiles]
    renamed = name_segments(moved, FEATURES, names)
    assert len(set(renamed)) == len(renamed)
    kept = zip(names, moved, strict=True)
    assert all(name in renamed for name, profile in kept if name_holds(name, profile, FEATURES))


@given(st.lists(st.tuples(*[st.floats(-3, 3)] * 3), max_size=12))
def test_names_are_unique(profiles):
    names = name_segments(profiles, FEATURES)
    assert len(set(names)) == len(names) == len(profiles)

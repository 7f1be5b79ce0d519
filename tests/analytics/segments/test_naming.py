from hypothesis import given
from hypothesis import strategies as st

from analytics.segments.builders import config
from lifestage.analytics.segments.naming import name_segments

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


@given(st.lists(st.tuples(*[st.floats(-3, 3)] * 3), max_size=12))
def test_names_are_unique(profiles):
    names = name_segments(profiles, FEATURES)
    assert len(set(names)) == len(names) == len(profiles)

import pytest

from lifestage.platform.reporting.grids import HIDDEN, figure, label_feature, shade
from support.reporting import WORDS


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("net_amount_365d", "Net amount, 365 days"),
        ("n_views_90d", "Views, 90 days"),
        ("silence_days", "Silence days"),
    ],
)
def test_a_column_name_reads_as_words(feature, expected):
    assert label_feature(feature, WORDS) == expected


def test_equal_values_are_not_shaded():
    assert shade([2, None, 2]) == [None, None, None]
    assert shade([1, 2, None, 3]) == [0.0, 0.5, None, 1.0]
    assert shade([]) == []


def test_a_withheld_number_is_shown_as_a_sign():
    assert figure("3", is_shown=False) == HIDDEN
    assert figure("3").text == "3"

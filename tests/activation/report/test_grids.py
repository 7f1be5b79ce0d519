import pytest

from activation.report.builders import WORDS
from lifestage.activation.report.grids import HIDDEN, figure, heats, label_of


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("net_amount_365d", "Net amount, 365 days"),
        ("n_views_90d", "Views, 90 days"),
        ("silence_days", "Silence days"),
    ],
)
def test_a_column_name_reads_as_words(feature, expected):
    assert label_of(feature, WORDS) == expected


def test_equal_values_are_not_shaded():
    assert heats([2, None, 2]) == [None, None, None]
    assert heats([1, 2, None, 3]) == [0.0, 0.5, None, 1.0]
    assert heats([]) == []


def test_a_number_of_too_few_is_a_sign():
    assert figure("3", is_shown=False) == HIDDEN
    assert figure("3").text == "3"

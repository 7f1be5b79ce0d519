from decimal import Decimal

import pytest

from lifestage.report.grids import heats, label_of, plural, quantity, share


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (1, 4, "25.0 %"),
        (0, 4, "0.0 %"),
        (4, 4, "100.0 %"),
        (2, 100_000, "< 0.1 %"),
        (99_999, 100_000, "> 99.9 %"),
        (1, 2_000, "< 0.1 %"),
        (3, 2_000, "0.2 %"),
        (0, 0, "n/a"),
    ],
)
def test_a_share_says_none_or_all_only_where_it_is_exact(part, whole, expected):
    assert share(part, whole) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("1234.5", "money", "1,234.50"),
        ("0.25", "share", "25.0 %"),
        ("1.234", "ratio", "1.23"),
        ("12.34", "days", "12.3"),
        ("12.34", "", "12.3"),
    ],
)
def test_a_mean_is_printed_in_its_unit(value, unit, expected):
    assert quantity(Decimal(value), unit) == expected


def test_an_unknown_mean_is_not_zero():
    assert quantity(None, "money") == "n/a"


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("net_amount_365d", "Net amount, 365 days"),
        ("n_views_90d", "Views, 90 days"),
        ("silence_days", "Silence days"),
    ],
)
def test_a_column_name_reads_as_words(feature, expected):
    assert label_of(feature) == expected


def test_equal_values_are_not_shaded():
    assert heats([2, None, 2]) == [None, None, None]
    assert heats([1, 2, None, 3]) == [0.0, 0.5, None, 1.0]
    assert heats([]) == []


def test_one_is_singular():
    assert (plural(1, "user"), plural(1_200, "user")) == ("1 user", "1,200 users")

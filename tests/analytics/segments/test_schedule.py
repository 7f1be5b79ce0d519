from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifestage.analytics.segments.config import TrainingCalendar
from lifestage.analytics.segments.schedule import training_date


def calendar(**values):
    return TrainingCalendar.model_validate(values)


@pytest.mark.parametrize(
    ("every", "as_of", "expected"),
    [
        ("month", date(2026, 3, 31), date(2026, 3, 31)),
        ("month", date(2026, 3, 30), date(2026, 2, 28)),
        ("month", date(2024, 2, 29), date(2024, 2, 29)),
        ("month", date(2024, 2, 28), date(2024, 1, 31)),
        ("month", date(2026, 1, 1), date(2025, 12, 31)),
        ("quarter", date(2026, 6, 30), date(2026, 6, 30)),
        ("quarter", date(2026, 6, 29), date(2026, 3, 31)),
        ("quarter", date(2026, 2, 28), date(2025, 12, 31)),
        ("year", date(2026, 12, 31), date(2026, 12, 31)),
        ("year", date(2026, 12, 30), date(2025, 12, 31)),
    ],
)
def test_a_period_trains_on_its_last_day(every, as_of, expected):
    assert training_date(as_of, calendar(every=every)) == expected


def test_from_is_included_and_nothing_before_it():
    monthly = calendar(**{"every": "month", "from": "2026-03-31"})
    assert training_date(date(2026, 3, 30), monthly) is None
    assert training_date(date(2026, 3, 31), monthly) == date(2026, 3, 31)


def test_explicit_dates_count_beside_the_periods_and_before_from():
    both = calendar(**{"every": "quarter", "from": "2026-03-31", "dates": ["2026-02-10", "2026-05-15"]})
    assert training_date(date(2026, 2, 9), both) is None
    assert training_date(date(2026, 3, 30), both) == date(2026, 2, 10)
    assert training_date(date(2026, 5, 14), both) == date(2026, 3, 31)
    assert training_date(date(2026, 6, 1), both) == date(2026, 5, 15)


def test_without_periods_only_the_dates_count_in_any_order():
    own = calendar(dates=["2026-05-15", "2026-02-10"])
    assert training_date(date(2026, 4, 1), own) == date(2026, 2, 10)
    assert training_date(date(2026, 1, 1), own) is None
    assert training_date(date(2026, 1, 1), calendar()) is None


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)), st.sampled_from(["month", "quarter", "year"]))
def test_a_training_date_is_its_own_and_never_in_the_future(as_of, every):
    found = training_date(as_of, calendar(every=every))
    assert found <= as_of
    assert training_date(found, calendar(every=every)) == found

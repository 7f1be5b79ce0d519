from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lifestage.platform.as_of_dates import (
    EarlierDates,
    Interval,
    choose_earlier_dates,
    dates_between,
    dates_to_keep,
    find_stale_dates,
    is_month_end,
    latest_builds,
)


def days(*texts):
    return [date.fromisoformat(text) for text in texts]


def test_days_between_include_both_ends():
    assert dates_between(*days("2026-02-27", "2026-03-02"), Interval.DAY) == days(
        "2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"
    )
    assert dates_between(*days("2026-02-27", "2026-02-27"), Interval.DAY) == days("2026-02-27")
    assert dates_between(*days("2026-02-28", "2026-02-27"), Interval.DAY) == []


def test_weeks_end_on_sunday_and_months_on_their_last_day():
    assert dates_between(*days("2026-03-01", "2026-03-15"), Interval.WEEK) == days(
        "2026-03-01", "2026-03-08", "2026-03-15"
    )
    assert dates_between(*days("2028-01-31", "2028-03-30"), Interval.MONTH) == days(
        "2028-01-31", "2028-02-29"
    )


def test_the_newest_the_last_days_and_month_ends_are_kept():
    built = days("2025-12-31", "2026-01-30", "2026-01-31", "2026-02-22", "2026-02-23", "2026-03-01")
    assert dates_to_keep(built, 7, True) == set(days("2025-12-31", "2026-01-31", "2026-02-23", "2026-03-01"))
    assert dates_to_keep(built, 7, False) == set(days("2026-02-23", "2026-03-01"))
    assert dates_to_keep(built, 1, False) == set(days("2026-03-01"))
    assert dates_to_keep([], 7, True) == set()


@given(st.sets(st.dates(date(2025, 12, 1), date(2026, 3, 5))), st.integers(1, 40), st.booleans())
def test_kept_dates_stay_kept_until_newer_dates_arrive(built, keep_days, month_ends):
    remaining = dates_to_keep(built, keep_days, month_ends)
    assert remaining <= built
    assert dates_to_keep(remaining, keep_days, month_ends) == remaining
    assert not built or max(built) in remaining
    gone = built - remaining
    assert all((max(built) - day).days >= keep_days for day in gone)
    assert not month_ends or not any(is_month_end(day) for day in gone)


def test_a_date_is_stale_if_a_later_delivery_changed_a_day_up_to_it():
    first, second, third = days("2026-01-10", "2026-01-20", "2026-01-30")
    built_at = {first: 3, second: 3, third: 5}
    assert find_stale_dates(built_at, {5: date(2026, 1, 20)}) == [second]
    assert find_stale_dates(built_at, {5: date(2026, 1, 21)}) == []
    assert find_stale_dates(built_at, {3: date(2026, 1, 1), 6: date(2026, 1, 10)}) == [first, second, third]
    assert find_stale_dates(built_at, {}) == []


def test_the_newest_build_of_a_date_counts():
    first, second = days("2026-01-10", "2026-01-11")
    assert latest_builds([([first], 1), ([first, second], 4), ([second], 3)]) == {first: 4, second: 4}


def test_a_month_end_is_followed_by_a_first():
    year = [date(2028, 1, 1) + timedelta(days=n) for n in range(366)]
    assert [day for day in year if is_month_end(day)] == [
        day for day in year if (day + timedelta(days=1)).day == 1
    ]


def test_a_date_is_compared_with_the_month_end_a_year_before_and_the_last_date():
    kept = days("2025-10-31", "2025-11-21", "2026-10-31", "2026-11-20", "2026-11-21")
    month_end, year, last = days("2026-10-31", "2025-11-21", "2026-11-20")
    assert choose_earlier_dates(kept, kept[-1]) == EarlierDates(month_end, year, last)


def test_the_month_end_before_the_same_date_of_last_year_takes_its_place():
    kept = days("2025-01-31", "2025-10-31", "2026-10-31")
    assert choose_earlier_dates(kept, date(2026, 11, 21)).year_before == date(2025, 10, 31)
    assert choose_earlier_dates(kept, date(2026, 9, 30)).year_before is None
    assert choose_earlier_dates(days("2023-02-28"), date(2024, 2, 29)) == EarlierDates(date(2023, 2, 28))


def test_without_a_month_end_changes_count_since_the_last_date():
    assert choose_earlier_dates(days("2026-11-18", "2026-11-20"), date(2026, 11, 21)) == EarlierDates(
        date(2026, 11, 20)
    )
    assert choose_earlier_dates([], date(2026, 11, 21)) == EarlierDates()

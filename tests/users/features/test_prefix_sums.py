"""Windows by prefix sums against sums that are added up day by day, however the rows are cut into batches."""

from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifestage.users.catalogue.model import Window
from lifestage.users.features.prefix_sums import Plan, aggregate_batches

START = date(2026, 1, 1)
WINDOWS = [(7, 0), (3, 0), (3, 3), (None, 0), (7, 2), (365, 0), (40_000, 0), (2, 800_000)]
PLAN_WINDOWS = tuple(
    Window(name=f"w{number}", measure="net", days=days, shift=shift, hidden=False)
    for number, (days, shift) in enumerate(WINDOWS)
)
SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("only_on", pa.date32()),
        ("event_date", pa.date32()),
        ("is_shared", pa.bool_()),
        ("occasions", pa.int64()),
        ("purchase_channel", pa.string()),
        ("first_on", pa.date32()),
        ("last_on", pa.date32()),
        ("net", pa.int64()),
    ]
)


def day_of(number):
    return START + timedelta(days=number)


@st.composite
def histories(draw):
    """User-days of a few users, some of whom are another user on one of the dates."""
    rows = []
    for user in "abcde"[: draw(st.integers(0, 5))]:
        only_on = draw(st.sampled_from([None, None, day_of(10), day_of(12)]))
        is_shared = draw(st.booleans())
        for number in sorted(draw(st.sets(st.integers(0, 15), min_size=1))):
            on = day_of(number)
            marked = draw(st.booleans())
            rows.append(
                {
                    "user_id": user,
                    "only_on": only_on,
                    "event_date": on,
                    "is_shared": is_shared,
                    "occasions": draw(st.integers(0, 1)),
                    "purchase_channel": draw(st.sampled_from([None, "web", "store"])),
                    "first_on": on if marked else None,
                    "last_on": on if marked else None,
                    "net": draw(st.sampled_from([None, -5, 0, 7, 2**40])),
                }
            )
    return rows


def added_up(rows, as_of_dates):
    """The same by the definition."""
    found = []
    for as_of in as_of_dates:
        for user in sorted({row["user_id"] for row in rows}):
            days = [
                row
                for row in rows
                if row["user_id"] == user and row["event_date"] <= as_of and row["only_on"] in (None, as_of)
            ]
            if days:
                found.append(added_up_user(user, days, as_of))
    return found


def added_up_user(user, days, as_of):
    marked = [row["event_date"] for row in days if row["first_on"]]
    channels = [row["purchase_channel"] for row in days if row["purchase_channel"]]
    sums = {}
    for number, (length, shift) in enumerate(WINDOWS):
        ages = [((as_of - row["event_date"]).days, row["net"] or 0) for row in days]
        sums[f"w{number}"] = sum(
            net for age, net in ages if age >= shift and (length is None or age < shift + length)
        )
    return {
        "user_id": user,
        "as_of": as_of,
        "is_shared": all(row["is_shared"] for row in days),
        "occasion_days": [row["event_date"] for row in days if row["occasions"]],
        "first_purchase_channel": channels[0] if channels else None,
        "first_on": min(marked, default=None),
        "last_on": max(marked, default=None),
        **sums,
    }


def in_batches(rows, size):
    return pa.Table.from_pylist(rows, schema=SCHEMA).to_batches(max_chunksize=size)


@pytest.mark.parametrize("min_rows", [1, 5, 50_000])
@settings(deadline=None)
@given(rows=histories(), size=st.integers(1, 20), dates=st.sets(st.integers(-1, 17), min_size=1, max_size=3))
def test_windows_are_those_that_are_added_up(min_rows, rows, size, dates):
    as_of_dates = [day_of(number) for number in sorted(dates | {10})]
    plan = Plan(tuple(as_of_dates), PLAN_WINDOWS, {"first_on": "first", "last_on": "last"})
    batches = aggregate_batches(in_batches(rows, size), plan, min_rows)
    actual = [row for batch in batches for row in batch.to_pylist()]
    by_key = lambda row: (row["as_of"], row["user_id"])  # noqa: E731
    assert sorted(actual, key=by_key) == added_up(rows, as_of_dates)


def test_no_days_give_no_rows():
    plan = Plan((START,), PLAN_WINDOWS, {})
    assert list(aggregate_batches([], plan)) == []
    assert list(aggregate_batches([pa.RecordBatch.from_pylist([], schema=SCHEMA)], plan)) == []

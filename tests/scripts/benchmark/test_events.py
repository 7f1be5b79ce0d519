from collections import Counter
from dataclasses import replace
from datetime import timedelta

import duckdb
import pyarrow as pa
import pytest

from benchmark.events import deliveries, write_events
from benchmark.sizes import LATE_DAYS, Size, bad_inputs

SIZE = Size(events=2_000, days=200, users=100)


def rows_of(size):
    return {day: rows.to_pylist() for day, rows in deliveries(size)}


def test_the_same_size_gives_the_same_events():
    assert rows_of(SIZE) == rows_of(SIZE)


def test_every_event_is_delivered_once():
    numbers = [row["event_no"] for rows in rows_of(SIZE).values() for row in rows]
    assert sorted(numbers) == list(range(2_000 + 100))


def test_only_late_nights_deliver_events_of_earlier_days():
    late = {
        day: [row["event_at"].date() for row in rows if row["event_at"].date() != day]
        for day, rows in rows_of(SIZE).items()
    }
    assert {day for day, dates in late.items() if dates} == set(SIZE.late_nights)
    assert all(
        night - timedelta(days=LATE_DAYS) <= day < night for night, dates in late.items() for day in dates
    )


def test_histories_of_any_length_have_the_same_users():
    members = [
        {row["member"] for rows in rows_of(replace(SIZE, days=days)).values() for row in rows}
        for days in (20, 200)
    ]
    assert members[0] == members[1] == {f"m{number}" for number in range(100)}


def test_a_heavy_user_has_the_given_events():
    counts = Counter(row["member"] for rows in rows_of(replace(SIZE, heavy=1_000)).values() for row in rows)
    assert counts["m100"] == 1_000
    assert counts.total() == 2_000 + 100


@pytest.mark.parametrize("size", bad_inputs(SIZE), ids=lambda size: size.case)
def test_files_hold_what_is_delivered(size, tmp_path):
    size = replace(size, files=min(size.files, 800))
    write_events(size, tmp_path / "landing", tmp_path / "later")
    n_files = {"one-file": 1, "20000-files": 194 * 4}.get(size.case, 194)
    assert len(list((tmp_path / "landing").iterdir())) == n_files
    assert len(list((tmp_path / "later").iterdir())) == 6
    found = duckdb.sql(f"FROM read_parquet('{tmp_path}/*/*.parquet') ORDER BY event_no").to_arrow_table()
    delivered = pa.concat_tables(rows for _, rows in deliveries(size)).sort_by("event_no")
    assert found["event_no"].to_pylist() == delivered["event_no"].to_pylist()
    assert found["amount"].to_pylist() == delivered["amount"].to_pylist()

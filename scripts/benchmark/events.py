"""Generate the events of a benchmark, day by day. The same size gives the same rows."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmark.sizes import LATE_DAYS, LATE_SHARE, Size

SECONDS = 86_400
MICROS = 1_000_000
# Few users have many events: the k-th user has 1 / k^EXPONENT of the events of the first.
EXPONENT = 0.8
N_PRODUCTS = 5_000
# So that histories of any length have the same users, each of them logs in once within the first days.
FIRST_LOGIN_DAYS = 10
KINDS = {"page_view": 0.42, "purchase": 0.36, "login": 0.19, "return": 0.03}
CHANNELS = {"web": 0.45, "app": 0.3, "store": 0.25}
LOGIN, RETURN = list(KINDS).index("login"), list(KINDS).index("return")
SALES = [list(KINDS).index("purchase"), RETURN]

Numbers = np.ndarray[Any, Any]


def write_events(size: Size, landing: Path, later: Path) -> None:
    """Write the files of the full build into `landing`, and the file of each later night into `later`."""
    landing.mkdir(parents=True)
    later.mkdir(parents=True)
    nights = [*size.nights, *size.late_nights]
    days = deliveries(size)
    if size.has_one_file:
        _write_one_file(landing / "events_all.parquet", (rows for day, rows in days if day not in nights))
        days = ((day, rows) for day, rows in deliveries(size) if day in nights)
    for day, rows in days:
        if day in nights:
            pq.write_table(rows, later / f"events_{day}.parquet")
            continue
        n_files = min(max(1, size.files // (size.days - len(nights))), max(1, len(rows)))
        for number, part in enumerate(np.array_split(np.arange(len(rows)), n_files)):
            pq.write_table(rows.slice(part[0], len(part)), landing / f"events_{day}_{number:04}.parquet")


def deliveries(size: Size) -> Iterator[tuple[date, pa.Table]]:
    """Yield each day and the events that are delivered after it: those of the day, and late ones of earlier days."""
    shares = np.cumsum(1 / np.arange(1, size.users + 1) ** EXPONENT)
    late = _choose_late_rows(size)
    waiting = defaultdict(list)
    first_no = 0
    for number, day in enumerate(size.dates):
        events = _events_of_day(size, number, first_no, shares)
        first_no += len(events)
        is_late = np.zeros(len(events), dtype=bool)
        for night, rows in late[day].items():
            is_late[rows] = True
            waiting[night].append(events.take(np.sort(rows)))
        on_time = events.filter(pa.array(~is_late))
        if size.has_empty_nights and day in size.nights:
            on_time = on_time.slice(0, 0)
        yield day, pa.concat_tables([on_time, *waiting.pop(day, [])])


def _choose_late_rows(size: Size) -> dict[date, dict[date, Numbers]]:
    """For each day and late night: the rows of the day that the night delivers. No row is delivered twice."""
    chosen: dict[date, dict[date, Numbers]] = defaultdict(dict)
    taken: set[tuple[date, int]] = set()
    for night in size.late_nights:
        random = np.random.default_rng([size.seed, size.days, night.toordinal()])
        earlier = [day for day in size.dates if night - timedelta(days=LATE_DAYS) <= day < night]
        n_rows = size.events // size.days
        picks = zip(random.integers(0, len(earlier), n_rows), random.integers(0, n_rows, n_rows), strict=True)
        rows = [(earlier[day], int(row)) for day, row in picks]
        new = [each for each in dict.fromkeys(rows) if each not in taken][
            : max(1, round(n_rows * LATE_SHARE))
        ]
        taken.update(new)
        for day in {day for day, _ in new}:
            chosen[day][night] = np.array([row for other, row in new if other == day])
    return chosen


def _events_of_day(size: Size, number: int, first_no: int, shares: Numbers) -> pa.Table:
    """The events of one day, sorted and numbered by time. Amounts are around 18, in whole cents."""
    random = np.random.default_rng([size.seed, number])
    n = size.events // size.days + (number < size.events % size.days)
    users = np.searchsorted(shares, random.random(n) * shares[-1])
    n_heavy = size.heavy // size.days
    users[:n_heavy] = size.users
    kinds = random.choice(len(KINDS), n, p=list(KINDS.values()))
    if number < FIRST_LOGIN_DAYS:
        newcomers = np.arange(number, size.users, min(FIRST_LOGIN_DAYS, size.days))
        users, kinds = np.append(users, newcomers), np.append(kinds, np.full(len(newcomers), LOGIN))
    n = len(users)
    instants = _instants(random, size.dates[number], n)
    cents = np.round(np.exp(random.normal(7.5, 0.9, n))).astype(np.int64) + 1
    amounts = pa.array(np.where(kinds == RETURN, -cents, cents), mask=~np.isin(kinds, SALES))
    products = random.integers(0, max(N_PRODUCTS, size.categories), n)
    no_product = kinds == LOGIN
    events = pa.table(
        {
            "event_at": instants,
            "kind": pa.array(list(KINDS)).take(pa.array(kinds)),
            "member": _numbered("m", users),
            "channel": pa.array(list(CHANNELS)).take(
                pa.array(random.choice(len(CHANNELS), n, p=list(CHANNELS.values())))
            ),
            "product": _numbered("p", products, no_product),
            "category": _numbered("c", products % size.categories, no_product),
            "quantity": pa.array(random.integers(1, 5, n), mask=~np.isin(kinds, SALES)),
            "amount": pc.multiply(amounts.cast(pa.decimal128(19, 0)), pa.scalar(Decimal("0.01"))).cast(
                pa.decimal128(18, 2)
            ),
            "starts_session": random.random(n) < 0.2,
        }
    ).sort_by("event_at")
    return events.add_column(0, "event_no", pa.array(np.arange(first_no, first_no + n)))


def _instants(random: np.random.Generator, day: date, n: int) -> pa.Array:
    """Instants of the day, evenings more than mornings."""
    first = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    seconds = (random.triangular(0, 0.75, 1, n) * SECONDS).astype(np.int64)
    return pa.array((first + seconds) * MICROS).cast(pa.timestamp("us", "UTC"))


def _numbered(prefix: str, numbers: Numbers, mask: Numbers | None = None) -> pa.Array:
    texts = pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")
    return texts if mask is None else pc.if_else(pa.array(mask), pa.scalar(None, pa.string()), texts)


def _write_one_file(path: Path, tables: Iterator[pa.Table]) -> None:
    first = next(tables)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)

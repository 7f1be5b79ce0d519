"""Generate events for the benchmark: one parquet file per day. The same seed gives the same rows."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

N_DAYS = 400
FIRST_DAY = date(2025, 1, 1)
LAST_DAY = FIRST_DAY + timedelta(days=N_DAYS - 1)
SECONDS = 86_400
MICROS = 1_000_000
# Few users have many events: the k-th user has 1 / k^EXPONENT of the events of the first.
EXPONENT = 0.8
USERS_PER_MILLION = 46_000
N_PRODUCTS = 5_000
N_CATEGORIES = 20
KINDS = {"page_view": 0.42, "purchase": 0.36, "login": 0.19, "return": 0.03}
CHANNELS = {"web": 0.45, "app": 0.3, "store": 0.25}
LOGIN, RETURN = list(KINDS).index("login"), list(KINDS).index("return")
SALES = [list(KINDS).index("purchase"), RETURN]

Numbers = np.ndarray[Any, Any]


def make(out: Path, n_events: int, seed: int) -> list[Path]:
    """Write `events_<date>.parquet` for each day into a new folder. Returns the files in order of date."""
    events = _events(np.random.default_rng(seed), n_events)
    days = events["event_at"].cast(pa.date32()).to_numpy()
    starts = np.flatnonzero(days[1:] != days[:-1]) + 1
    out.mkdir(parents=True)
    files = []
    for start, end in zip([0, *starts], [*starts, n_events], strict=True):
        files.append(out / f"events_{days[start]}.parquet")
        pq.write_table(events.slice(start, end - start), files[-1])
    return files


def _events(random: np.random.Generator, n: int) -> pa.Table:
    """All events, sorted and numbered by time. Amounts are around 18, in whole cents."""
    kinds = random.choice(len(KINDS), n, p=list(KINDS.values()))
    cents = np.round(np.exp(random.normal(7.5, 0.9, n))).astype(np.int64) + 1
    amounts = pa.array(np.where(kinds == RETURN, -cents, cents), mask=~np.isin(kinds, SALES))
    products = random.integers(0, N_PRODUCTS, n)
    no_product = kinds == LOGIN
    return pa.table(
        {
            "event_no": np.arange(n),
            "event_at": _instants(random, n),
            "kind": _named(list(KINDS), kinds),
            "member": _numbered("m", _users(random, n)),
            "channel": _named(list(CHANNELS), random.choice(len(CHANNELS), n, p=list(CHANNELS.values()))),
            "product": _numbered("p", products, no_product),
            "category": _numbered("c", products % N_CATEGORIES, no_product),
            "quantity": pa.array(random.integers(1, 5, n), mask=~np.isin(kinds, SALES)),
            "amount": pc.multiply(amounts.cast(pa.decimal128(19, 0)), pa.scalar(Decimal("0.01"))).cast(
                pa.decimal128(18, 2)
            ),
            "starts_session": random.random(n) < 0.2,
        }
    )


def _instants(random: np.random.Generator, n: int) -> pa.Array:
    """Sorted instants. All days have about the same number of events, evenings more than mornings."""
    first = int(datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC).timestamp())
    seconds = (random.triangular(0, 0.75, 1, n) * SECONDS).astype(np.int64)
    instants = np.sort(first + random.integers(0, N_DAYS, n) * SECONDS + seconds) * MICROS
    return pa.array(instants).cast(pa.timestamp("us", "UTC"))


def _users(random: np.random.Generator, n: int) -> Numbers:
    n_users = max(n * USERS_PER_MILLION // 1_000_000, 100)
    shares = np.cumsum(1 / np.arange(1, n_users + 1) ** EXPONENT)
    users: Numbers = np.searchsorted(shares, random.random(n) * shares[-1])
    return users


def _named(names: list[str], numbers: Numbers) -> pa.Array:
    return pa.array(names).take(pa.array(numbers))


def _numbered(prefix: str, numbers: Numbers, mask: Numbers | None = None) -> pa.Array:
    texts = pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")
    return texts if mask is None else pc.if_else(pa.array(mask), pa.scalar(None, pa.string()), texts)

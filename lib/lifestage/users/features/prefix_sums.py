"""Aggregate user-days over windows with prefix sums, in Arrow.

The days of a user lie side by side, in order. A sum over a window is then the difference of two running totals, so a further
date or window costs two lookups for each user, not another pass over the days.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from lifestage.users.catalogue.model import Window

Numbers = np.ndarray[Any, Any]

# The least number of days to aggregate at once.
MIN_ROWS = 50_000
# Days from the first date that Spark knows, 0001-01-01, to the last, 9999-12-31, are fewer than 2^22.
DAYS_BEFORE_1970, MAX_DAYS = 719_163, 1 << 22


@dataclass(frozen=True)
class Plan:
    """What to aggregate.

    `dates` maps the column of a date to `first` or `last`.
    """

    as_of_dates: tuple[date, ...]
    windows: tuple[Window, ...]
    dates: Mapping[str, str]


def aggregate_batches(
    batches: Iterable[pa.RecordBatch], plan: Plan, min_rows: int = MIN_ROWS
) -> Iterator[pa.RecordBatch]:
    """Yield one row per user and as_of, for every user with a day that is visible then.

    Args:
        batches: user-days (see to_user_days), all days of a user in this partition, in order of user_id, only_on and
            event_date.
        plan: what to aggregate.
        min_rows: least number of rows to aggregate at once; the default needs little of a worker's memory.

    Yields:
        user_id, as_of, is_shared, occasion_days, first_purchase_channel, the dates and the sums of the plan. A sum without
        days is 0; money and quantities are in minor units, as in the input.
    """
    for rows in _to_whole_users(batches, min_rows):
        yield _Days(rows).find_visible(plan.as_of_dates).aggregate(plan)


def _to_whole_users(batches: Iterable[pa.RecordBatch], min_rows: int) -> Iterator[pa.Table]:
    """Yield the rows in tables that hold all rows of their users."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        users = batch.column("user_id")
        # The user of the last row may go on in the next batch.
        n_last = _count_last(users)
        complete = batch.slice(0, batch.num_rows - n_last)
        if complete.num_rows and sum(each.num_rows for each in held) + complete.num_rows >= min_rows:
            yield pa.Table.from_batches([*held, complete])
            held = [batch.slice(complete.num_rows)]
        else:
            held.append(batch)
    if rows := [each for each in held if each.num_rows]:
        yield pa.Table.from_batches(rows)


def _count_last(users: pa.Array) -> int:
    """The number of rows at the end that have the user of the last row."""
    if not len(users):
        return 0
    differs = np.flatnonzero(_differs_from_next(users))
    return len(users) - (int(differs[-1]) + 1 if len(differs) else 0)


def _differs_from_next(values: pa.Array) -> Numbers:
    """Whether each value but the last differs from the next one."""
    codes = values.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    differs: Numbers = codes[1:] != codes[:-1]
    return differs


class _Days:
    """The user-days of some users. A group is the days of a user under one identity (only_on)."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows.combine_chunks()
        differs = _differs_from_next(self.column("user_id")) | _differs_from_next(self.column("only_on"))
        self.starts = np.concatenate([[0], np.flatnonzero(differs) + 1])
        groups = np.concatenate([[0], np.cumsum(differs)])
        # Ascends over all rows, so that one binary search finds a day of a group.
        self.keys = groups * MAX_DAYS + self.numbers("event_date") + DAYS_BEFORE_1970

    def column(self, name: str) -> pa.Array:
        """A column as one array."""
        return self.rows.column(name).chunk(0)

    def numbers(self, name: str) -> Numbers:
        """A column as whole numbers; NULL is 0, and dates are days since 1970."""
        values = self.column(name)
        values = values.cast("int32") if pa.types.is_date32(values.type) else values
        numbers: Numbers = values.cast("int64").fill_null(0).to_numpy(zero_copy_only=False)
        return numbers

    def find_visible(self, as_of_dates: Sequence[date]) -> "_Visible":
        """Each group once per as_of at which it has a day and its identity is valid."""
        only_on = self.column("only_on").take(pa.array(self.starts)).cast("int32")
        is_always, valid_on = only_on.is_null().to_numpy(False), only_on.fill_null(0).to_numpy(False)
        dates = np.array([(each - date(1970, 1, 1)).days for each in as_of_dates])
        groups, numbers = np.nonzero(is_always[:, None] | (valid_on[:, None] == dates[None, :]))
        as_of, begins = dates[numbers], self.starts[groups]
        ends = self.find_ends(groups, as_of)
        seen = ends > begins
        return _Visible(self, groups[seen], as_of[seen], begins[seen], ends[seen])

    def find_ends(self, groups: Numbers, days: Numbers) -> Numbers:
        """For each group, the position after its last row up to the given day."""
        keys = groups * MAX_DAYS + np.maximum(days + DAYS_BEFORE_1970, 0)
        # A day before the first row of the group gives the start of the group.
        ends: Numbers = np.maximum(np.searchsorted(self.keys, keys, side="right"), self.starts[groups])
        return ends


@dataclass(frozen=True)
class _Visible:
    """Groups with the days that are visible as of a date: the rows from `begins` up to, not including, `ends`."""

    days: _Days
    groups: Numbers
    as_of: Numbers
    begins: Numbers
    ends: Numbers

    def aggregate(self, plan: Plan) -> pa.RecordBatch:
        """Aggregate the windows and dates of the plan."""
        bounds = {(each.days, each.shift): self._find_bounds(each) for each in plan.windows}
        measures = {"is_shared", *[each.measure for each in plan.windows]}
        totals = {name: _running_total(self.days.numbers(name)) for name in measures}
        n_shared = _sum_between(totals["is_shared"], self.begins, self.ends)
        columns = {
            "user_id": self.days.column("user_id").take(pa.array(self.begins)),
            "as_of": pa.array(self.as_of.astype(np.int32)).cast("date32"),
            # A user is shared if all days are.
            "is_shared": pa.array(n_shared == self.ends - self.begins),
            "occasion_days": self._list_days(self.days.numbers("occasions") > 0),
            "first_purchase_channel": self._pick("purchase_channel", "first"),
            **{name: self._pick(name, which) for name, which in plan.dates.items()},
            **{
                each.name: pa.array(_sum_between(totals[each.measure], *bounds[each.days, each.shift]))
                for each in plan.windows
            },
        }
        return pa.RecordBatch.from_pydict(columns)

    def _find_bounds(self, window: Window) -> tuple[Numbers, Numbers]:
        """The rows inside of a window."""
        ends = self.days.find_ends(self.groups, self.as_of - window.shift)
        if window.days is None:
            return self.begins, ends
        return self.days.find_ends(self.groups, self.as_of - window.shift - window.days), ends

    def _list_days(self, is_listed: Numbers) -> pa.Array:
        """The dates of the rows that are listed, ascending."""
        rows = np.flatnonzero(is_listed)
        first, end = np.searchsorted(rows, self.begins), np.searchsorted(rows, self.ends)
        offsets = np.concatenate([[0], np.cumsum(end - first)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], end - first)
        days = self.days.column("event_date").take(pa.array(rows[np.repeat(first, end - first) + within]))
        return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), days)

    def _pick(self, name: str, which: str) -> pa.Array:
        """The first or last value of a column that is not NULL; NULL without one."""
        values = self.days.column(name)
        rows = np.flatnonzero(values.is_valid().to_numpy(False))
        place = (
            np.searchsorted(rows, self.begins) if which == "first" else np.searchsorted(rows, self.ends) - 1
        )
        # One more row, for a place behind the last.
        row = np.append(rows, -1)[place]
        is_found = (row >= self.begins) & (row < self.ends)
        return values.take(pa.array(row, mask=~is_found))


def _running_total(values: Numbers) -> Numbers:
    """The sum of the values before each position."""
    return np.concatenate([[0], np.cumsum(values)])


def _sum_between(totals: Numbers, begins: Numbers, ends: Numbers) -> Numbers:
    sums: Numbers = totals[ends] - totals[begins]
    return sums

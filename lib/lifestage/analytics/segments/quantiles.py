"""Exact quantiles of many whole-number columns, in a few passes of bounded size."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# Each pass counts at most 2^14 cells for each quantile. Most columns need two passes.
DIGIT_BITS = 14


@dataclass(frozen=True)
class Extent:
    """Least and greatest value of a column, and its number of values that aren't NULL."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class _Target:
    """The search for one quantile: its leading bits so far, and its rank among the values that share them."""

    prefix: int
    rank: int


def exact_quantiles(
    frame: DataFrame, extents: Mapping[str, Extent], shares: Sequence[Fraction]
) -> dict[str, tuple[int, ...]]:
    """Return for each column and share the least value with a cumulative share of at least that; NULLs don't count.

    The search goes by digits, most significant first: each pass counts the next 14 bits of the values that start with a
    known prefix. So neither the shuffle nor the driver sees more than columns x shares x 2^14 counts, for any number of
    users and values.

    Args:
        frame: A frame with the bigint columns. Each pass reads it once.
        extents: The columns and their extents; each has at least one value.
        shares: Cumulative shares, more than 0 and at most 1.
    """
    bits = max(((extent.high - extent.low).bit_length() for extent in extents.values()), default=0)
    targets = {
        name: [_Target(0, max(1, ceil(share * extent.count))) for share in shares]
        for name, extent in extents.items()
    }
    while bits > 0:
        width = min(bits, DIGIT_BITS)
        counts = _count_digits(frame, extents, targets, bits, bits - width)
        targets = {name: [_narrow(each, counts[name], width) for each in targets[name]] for name in targets}
        bits -= width
    return {name: tuple(extents[name].low + each.prefix for each in targets[name]) for name in targets}


def _count_digits(
    frame: DataFrame,
    extents: Mapping[str, Extent],
    targets: Mapping[str, Sequence[_Target]],
    bits: int,
    shift: int,
) -> dict[str, list[tuple[int, int]]]:
    """Return for each column the cells under its targets' prefixes that have values, in order, with their counts."""
    cells = [
        F.struct(
            F.lit(name).alias("name"),
            _cell_column(name, extents[name].low, targets[name], bits, shift).alias("cell"),
        )
        for name in extents
    ]
    counted = (
        frame.select(F.inline(F.array(*cells)))
        .where("cell IS NOT NULL")
        .groupBy("name", "cell")
        .count()
        .collect()
    )
    by_name: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for name, cell, count in sorted(counted):
        by_name[name].append((cell, count))
    return by_name


def _cell_column(name: str, low: int, targets: Sequence[_Target], bits: int, shift: int) -> Column:
    """Return the value's next digit with everything before it; NULL if it starts with no target's prefix."""
    offset = F.col(name) - F.lit(low)
    wanted = sorted({target.prefix for target in targets})
    return F.when(F.shiftright(offset, bits).isin(wanted), F.shiftright(offset, shift))


def _narrow(target: _Target, cells: Sequence[tuple[int, int]], width: int) -> _Target:
    """Extend the target's prefix by the digit of the cell that contains its rank."""
    rank = target.rank
    for cell, count in cells:
        if cell >> width == target.prefix:
            if rank <= count:
                return _Target(cell, rank)
            rank -= count
    raise AssertionError(f"rank {target.rank} is greater than the {sum(n for _, n in cells)} values counted")

"""Exact quantiles of many whole-number columns at once, in a few passes of bounded size."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# A pass counts at most 2^14 cells for each quantile; most columns need two passes.
DIGIT_BITS = 14


@dataclass(frozen=True)
class Extent:
    """Least and greatest value of a column and how many values it has."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class _Target:
    """One quantile searched: the leading bits found so far, and its rank among the values that share them."""

    prefix: int
    rank: int


def exact_quantiles(
    frame: DataFrame, extents: Mapping[str, Extent], shares: Sequence[Fraction]
) -> dict[str, tuple[int, ...]]:
    """For each column the least value whose cumulative share is >= each of the shares; NULLs are left out.

    A search by digits, most significant first: each pass counts the next 14 bits of the values that begin
    with a prefix found before. Neither the shuffle nor the driver sees more than columns x shares x 2^14
    counts, however many users and values there are, and nothing is estimated.

    Args:
        frame: A frame with the bigint columns; it is read once a pass.
        extents: The columns and their extents; each has at least one value.
        shares: Cumulative shares, above 0 to 1.
    """
    bits = max(((extent.high - extent.low).bit_length() for extent in extents.values()), default=0)
    targets = {
        name: [_Target(0, max(1, ceil(share * extent.count))) for share in shares]
        for name, extent in extents.items()
    }
    while bits > 0:
        width = min(bits, DIGIT_BITS)
        counts = _digit_counts(frame, extents, targets, bits, bits - width)
        targets = {name: [_narrowed(each, counts[name], width) for each in targets[name]] for name in targets}
        bits -= width
    return {name: tuple(extents[name].low + each.prefix for each in targets[name]) for name in targets}


def _digit_counts(
    frame: DataFrame,
    extents: Mapping[str, Extent],
    targets: Mapping[str, Sequence[_Target]],
    bits: int,
    shift: int,
) -> dict[str, list[tuple[int, int]]]:
    """Per column the occupied cells under its targets' prefixes, in order, and the number of values in each."""
    cells = [
        F.struct(
            F.lit(name).alias("name"),
            _cell(name, extents[name].low, targets[name], bits, shift).alias("cell"),
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


def _cell(name: str, low: int, targets: Sequence[_Target], bits: int, shift: int) -> Column:
    offset = F.col(name) - F.lit(low)
    wanted = sorted({target.prefix for target in targets})
    return F.when(F.shiftright(offset, bits).isin(wanted), F.shiftright(offset, shift))


def _narrowed(target: _Target, cells: Sequence[tuple[int, int]], width: int) -> _Target:
    rank = target.rank
    for cell, count in cells:
        if cell >> width == target.prefix:
            if rank <= count:
                return _Target(cell, rank)
            rank -= count
    raise AssertionError(f"rank {target.rank} is beyond the {sum(n for _, n in cells)} values counted")

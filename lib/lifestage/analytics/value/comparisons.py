"""Weights from pairwise comparisons: the analytic hierarchy process (AHP).

A matrix says how many times more each item matters than each other, on Saaty's scale of 1 to 9. Its principal
eigenvector gives the weights, and its greatest eigenvalue how far the judgements contradict each other.

Source: T. L. Saaty, The Analytic Hierarchy Process (1980).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import fsum

# Mean consistency index of random matrices of 3, 4 and 5 items; with one or two items nothing can contradict.
RANDOM_INDEX = {3: 0.58, 4: 0.90, 5: 1.12}
MAX_ITEMS = 5
MAX_RATIO = 0.10
SCALE = 9
N_STEPS = 200

Matrix = Mapping[str, Sequence[Fraction]]


@dataclass(frozen=True)
class Weighing:
    """The weight of each item, summing to 1, with the consistency index and ratio of the comparisons (0 if given)."""

    weights: dict[str, float]
    consistency_index: float = 0.0
    consistency_ratio: float = 0.0


def weigh(matrix: Matrix) -> Weighing:
    """Weights by the principal eigenvector, CI = (lambda_max - n) / (n - 1) and CR = CI / RI(n), 0 for n <= 2.

    Found by a fixed number of multiplications in plain Python, with sums that are rounded once, so that every computer
    and every Python finds the same bits.
    """
    n = len(matrix)
    rows = [[float(entry) for entry in row] for row in matrix.values()]
    weights = [1 / n] * n
    for _ in range(N_STEPS):
        products = _times(rows, weights)
        total = fsum(products)
        weights = [product / total for product in products]
    ratios = [product / weight for product, weight in zip(_times(rows, weights), weights, strict=True)]
    index = (fsum(ratios) / n - n) / (n - 1) if n > 2 else 0.0
    named = dict(zip(matrix, weights, strict=True))
    return Weighing(named, index, index / RANDOM_INDEX[n] if n > 2 else 0.0)


def matrix_problems(matrix: Matrix) -> Iterator[str]:
    """Why the comparisons give no weights: size, scale, reciprocity, and contradiction with its worst triple."""
    n = len(matrix)
    if not n:
        yield "nothing is compared"
        return
    if n > MAX_ITEMS:
        yield f"{n} items are compared, at most {MAX_ITEMS}: group some of them"
        return
    uneven = [name for name, row in matrix.items() if len(row) != n]
    yield from (f"{name}: {len(matrix[name])} entries, expected {n}: one for each item" for name in uneven)
    if uneven:
        return
    found = [*_entry_problems(matrix)]
    yield from found
    if not found and (ratio := weigh(matrix).consistency_ratio) > MAX_RATIO:
        yield f"the comparisons contradict each other: CR {ratio:.2f}, at most {MAX_RATIO:.2f}; {worst_triple(matrix)}"


def worst_triple(matrix: Matrix) -> str:
    """The three items whose comparisons contradict each other most, as a sentence; ties by order."""
    names = list(matrix)

    def factor(triple: tuple[int, int, int]) -> Fraction:
        a, b, c = triple
        detour = matrix[names[a]][b] * matrix[names[b]][c] / matrix[names[a]][c]
        return max(detour, 1 / detour)

    a, b, c = max(combinations(range(len(names)), 3), key=factor)
    return (
        f"worst: {names[a]} is {matrix[names[a]][b]} x {names[b]} and {names[b]} is {matrix[names[b]][c]} x {names[c]}, "
        f"which makes {names[a]} {matrix[names[a]][b] * matrix[names[b]][c]} x {names[c]}, but it is given as "
        f"{matrix[names[a]][c]}"
    )


def _entry_problems(matrix: Matrix) -> Iterator[str]:
    names = list(matrix)
    outside = [
        f"{name} against {other}: {entry}, expected 1/{SCALE} to {SCALE}"
        for name, row in matrix.items()
        for other, entry in zip(names, row, strict=True)
        if not Fraction(1, SCALE) <= entry <= SCALE
    ]
    yield from outside
    if outside:
        return
    for a, b in combinations(range(len(names)), 2):
        if matrix[names[a]][b] * matrix[names[b]][a] != 1:
            yield (
                f"{names[b]} against {names[a]}: {matrix[names[b]][a]}, expected {1 / matrix[names[a]][b]}, the "
                f"reciprocal of {names[a]} against {names[b]}"
            )
    for number, name in enumerate(names):
        if matrix[name][number] != 1:
            yield f"{name} against itself: {matrix[name][number]}, expected 1"


def _times(rows: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    return [fsum(entry * weight for entry, weight in zip(row, vector, strict=True)) for row in rows]

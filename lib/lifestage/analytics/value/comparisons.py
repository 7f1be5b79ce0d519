"""Weights from pairwise comparisons: the analytic hierarchy process (AHP).

A matrix says how many times more each item matters than each other item, on Saaty's scale of 1 to 9. Its principal
eigenvector gives the weights. Its largest eigenvalue measures how consistent the comparisons are.

Source: T. L. Saaty, The Analytic Hierarchy Process (1980).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import fsum

# Mean consistency index of random matrices of 3, 4 and 5 items. One or two items are always consistent.
RANDOM_INDEX = {3: 0.58, 4: 0.90, 5: 1.12}
MAX_ITEMS = 5
MAX_RATIO = 0.10
SCALE = 9
N_STEPS = 200

Matrix = Mapping[str, Sequence[Fraction]]


@dataclass(frozen=True)
class Weighing:
    """Weights that sum to 1, with the consistency index and ratio of their comparisons (0 for weights that are given)."""

    weights: dict[str, float]
    consistency_index: float = 0.0
    consistency_ratio: float = 0.0


def derive_weights(matrix: Matrix) -> Weighing:
    """Return the principal eigenvector as weights, CI = (lambda_max - n) / (n - 1), and CR = CI / RI(n).

    CI and CR are 0 for n <= 2. Power iteration with a fixed number of steps in plain Python, whose sums are rounded once,
    gives the same bits on every computer.

    Args:
        matrix: Comparisons without `matrix_problems`.
    """
    n = len(matrix)
    rows = [[float(entry) for entry in row] for row in matrix.values()]
    weights = [1 / n] * n
    for _ in range(N_STEPS):
        products = _multiply(rows, weights)
        total = fsum(products)
        weights = [product / total for product in products]
    ratios = [product / weight for product, weight in zip(_multiply(rows, weights), weights, strict=True)]
    index = (fsum(ratios) / n - n) / (n - 1) if n > 2 else 0.0
    named = dict(zip(matrix, weights, strict=True))
    return Weighing(named, index, index / RANDOM_INDEX[n] if n > 2 else 0.0)


def matrix_problems(matrix: Matrix) -> Iterator[str]:
    """Yield what is wrong with the comparisons: their number, scale, reciprocity, or consistency with its worst triple."""
    n = len(matrix)
    if not n:
        yield "no items to compare"
        return
    if n > MAX_ITEMS:
        yield f"{n} items are compared, at most {MAX_ITEMS}: group some of them"
        return
    uneven = [name for name, row in matrix.items() if len(row) != n]
    yield from (f"{name}: {len(matrix[name])} entries, expected {n}: one for each item" for name in uneven)
    if uneven:
        return
    problems = [*_entry_problems(matrix)]
    yield from problems
    if not problems and (ratio := derive_weights(matrix).consistency_ratio) > MAX_RATIO:
        yield f"the comparisons contradict each other: CR {ratio:.2f}, at most {MAX_RATIO:.2f}; {worst_triple(matrix)}"


def worst_triple(matrix: Matrix) -> str:
    """Describe the three items whose comparisons contradict each other most; of equal ones, the first."""
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


def _multiply(rows: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    return [fsum(entry * weight for entry, weight in zip(row, vector, strict=True)) for row in rows]

"""Weights from pairwise comparisons: published matrices with their ratios, and invalid ones."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifestage.analytics.value.comparisons import RANDOM_INDEX, derive_weights, matrix_problems

# Haas and Meixner, An Illustrated Guide to the Analytic Hierarchy Process: criteria for a car, and reliability of cars.
CRITERIA = """1 1/2 3
2 1 4
1/3 1/4 1"""
RELIABILITY = """1 2 5 1
1/2 1 3 2
1/5 1/3 1 1/4
1 1/2 4 1"""
# Teknomo, Analytic Hierarchy Process Tutorial: fruits, with CR 5.59 %.
FRUITS = """1 1/3 5
3 1 7
1/5 1/7 1"""
WEALTH = """1 4 9 6
1/4 1 5 5
1/9 1/5 1 3
1/6 1/5 1/3 1"""


def matrix(text):
    rows = [[Fraction(entry) for entry in line.split()] for line in text.splitlines()]
    return dict(zip("abcde", rows, strict=False))


@pytest.mark.parametrize(
    ("text", "weights", "ratio"),
    [
        (CRITERIA, (0.320, 0.558, 0.122), 0.016),
        (RELIABILITY, (0.379, 0.290, 0.074, 0.257), 0.071),
        (FRUITS, (0.279, 0.649, 0.072), 0.056),
    ],
)
def test_published_matrices_have_their_published_weights_and_ratios(text, weights, ratio):
    found = derive_weights(matrix(text))
    assert [round(weight, 3) for weight in found.weights.values()] == list(weights)
    assert round(found.consistency_ratio, 3) == ratio


def ratio_of(rows):
    """Compute the consistency ratio with numpy's eigenvalues."""
    n = len(rows)
    greatest = max(np.linalg.eigvals(np.array(rows, dtype=float)).real)
    return (greatest - n) / (n - 1) / RANDOM_INDEX[n]


def reciprocal(n, upper):
    rows = [[Fraction(1)] * n for _ in range(n)]
    for (a, b), entry in zip(combinations(range(n), 2), upper, strict=True):
        rows[a][b], rows[b][a] = entry, 1 / entry
    return rows


saaty = st.integers(1, 9).flatmap(lambda k: st.sampled_from([Fraction(k), Fraction(1, k)]))
matrices = st.integers(3, 5).flatmap(
    lambda n: st.lists(saaty, min_size=n * (n - 1) // 2, max_size=n * (n - 1) // 2).map(
        lambda upper: reciprocal(n, upper)
    )
)


@given(rows=matrices)
def test_the_ratio_is_that_of_the_eigenvalues(rows):
    found = derive_weights(dict(zip("abcde", rows, strict=False)))
    assert found.consistency_ratio == pytest.approx(ratio_of(rows), abs=1e-9)
    assert sum(found.weights.values()) == pytest.approx(1)


@given(weights=st.lists(st.integers(1, 3), min_size=1, max_size=5))
def test_consistent_comparisons_give_their_weights_back(weights):
    rows = {name: [Fraction(a, b) for b in weights] for name, a in zip("abcde", weights, strict=False)}
    found = derive_weights(rows)
    assert [*matrix_problems(rows)] == []
    assert list(found.weights.values()) == pytest.approx([weight / sum(weights) for weight in weights])
    assert found.consistency_ratio == pytest.approx(0, abs=1e-9)


def test_two_items_cannot_contradict_each_other():
    assert derive_weights(matrix("1 9\n1/9 1")).consistency_ratio == 0
    assert derive_weights(matrix("1")).weights == {"a": 1}


def problems(text):
    return "; ".join(matrix_problems(matrix(text)))


def test_a_contradiction_names_its_worst_triple():
    assert problems("1 3 1/5\n1/3 1 3\n5 1/3 1") == (
        "the comparisons contradict each other: CR 1.58, at most 0.10; worst: a is 3 x b and b is 3 x c, which makes "
        "a 9 x c, but it is given as 1/5"
    )


def test_of_several_triples_the_worst_is_named():
    assert "worst: a is 9 x c and c is 3 x d, which makes a 27 x d, but it is given as 6" in problems(WEALTH)
    assert problems(WEALTH).startswith("the comparisons contradict each other: CR 0.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 3\n0.33 1", "b against a: 33/100, expected 1/3, the reciprocal of a against b"),
        ("1 10\n1/10 1", "a against b: 10, expected 1/9 to 9"),
        ("1 0\n0 1", "a against b: 0, expected 1/9 to 9"),
        ("2 1\n1 1", "a against itself: 2, expected 1"),
        ("1 2 3\n1/2 1\n1/3 1/2 1", "b: 2 entries, expected 3: one for each item"),
    ],
)
def test_an_invalid_matrix_is_reported(text, message):
    assert message in problems(text)


def test_more_than_five_items_must_be_grouped():
    six = {name: [Fraction(1)] * 6 for name in "abcdef"}
    assert [*matrix_problems(six)] == ["6 items are compared, at most 5: group some of them"]

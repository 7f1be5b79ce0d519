"""Scores against a literal implementation of the definition, on random populations."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.value.builders import D, buyer, scores
from support.frames import assert_rows

person = st.tuples(st.integers(0, 9), st.integers(1, 6), st.integers(-200, 500))
populations = st.lists(st.lists(person, min_size=1, max_size=25), min_size=20, max_size=40)


def score(value: int, everyone: list[int], is_worse: Callable[[int, int], bool]) -> int:
    """1 + floor(5 x share of scored users with a strictly worse value)."""
    worse = sum(is_worse(other, value) for other in everyone)
    return 1 + (5 * worse) // len(everyone)


def expected_scores(population):
    recencies, frequencies, spends = zip(*population, strict=True)
    return [
        (
            score(recency, recencies, lambda other, own: other > own),
            score(frequency, frequencies, lambda other, own: other < own),
            score(spend, spends, lambda other, own: other < own),
        )
        for recency, frequency, spend in population
    ]


@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(populations=populations)
def test_scores_are_what_the_definition_says(spark, populations):
    """Each population has its own date, so that one Spark job scores all of them."""
    rows, expected = [], []
    for number, population in enumerate(populations):
        as_of = D + timedelta(days=number)
        for user, (found, triple) in enumerate(zip(population, expected_scores(population), strict=True)):
            recency, frequency, cents = found
            rows.append(buyer(f"u{user}", recency, frequency, Decimal(cents) / 100, as_of))
            expected.append((as_of, f"u{user}", *triple))
    assert_rows(scores(spark, rows).select("as_of", "user_id", "r_score", "f_score", "m_score"), expected)

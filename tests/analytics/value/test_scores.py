"""RFM scores: known answers, ties, directions, cut points, and insufficient data."""

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from analytics.value.builders import D, buyer, buyers, config, scored, scores
from lifestage.analytics.value.rfm import add_scores, to_rfm, to_rfm_cuts
from support.frames import assert_frames, assert_rows, shuffled

RFM = ("user_id", "r_score", "f_score", "m_score")
POPULATION = [
    buyer("a", recency=40, frequency=1, spend="5.00"),
    buyer("b", recency=40, frequency=1, spend="5.00"),
    buyer("c", recency=40, frequency=1, spend="20.00"),
    buyer("d", recency=7, frequency=2, spend="-3.00"),
    buyer("e", recency=0, frequency=5, spend="20.00"),
]


def test_frequencies_1_1_1_2_5_score_1_1_1_4_5(spark):
    """The known answer in the definition of the score."""
    actual = scores(spark, POPULATION).select("user_id", "frequency", "f_score")
    assert_rows(actual, [("a", 1, 1), ("b", 1, 1), ("c", 1, 1), ("d", 2, 4), ("e", 5, 5)])


def test_the_most_recent_users_have_the_best_score(spark):
    actual = scores(spark, POPULATION).select("user_id", "recency_days", "r_score")
    assert_rows(actual, [("a", 40, 1), ("b", 40, 1), ("c", 40, 1), ("d", 7, 4), ("e", 0, 5)])


def test_equal_spend_shares_a_score_and_negative_spend_scores_least(spark):
    actual = scores(spark, POPULATION).select("user_id", "m_score")
    assert_rows(actual, [("d", 1), ("a", 2), ("b", 2), ("c", 4), ("e", 4)])


def test_if_all_values_are_equal_all_scores_are_equal(spark):
    rows = [buyer(f"u{n}") for n in range(7)]
    assert_rows(scores(spark, rows).select(*RFM).distinct(), [(f"u{n}", 1, 1, 1) for n in range(7)])


def test_cut_points_are_the_worst_value_of_each_score_that_occurs(spark):
    actual = to_rfm_cuts(to_rfm(buyers(spark, POPULATION), config()), config())
    expected = [
        (D, "recency", 1, 40, 3),
        (D, "recency", 4, 7, 1),
        (D, "recency", 5, 0, 1),
        (D, "frequency", 1, 1, 3),
        (D, "frequency", 4, 2, 1),
        (D, "frequency", 5, 5, 1),
        (D, "monetary", 1, -300, 1),
        (D, "monetary", 2, 500, 2),
        (D, "monetary", 4, 2000, 2),
    ]
    assert_rows(actual, expected)


def test_mean_spend_is_per_occasion(spark):
    actual = scores(spark, [buyer("u1", frequency=3, spend="20.00")])
    assert_rows(actual.select("monetary_amount", "mean_occasion_amount"), [("20.00", "6.67")])


def test_a_user_without_an_occasion_in_the_period_is_not_scored(spark):
    silent = buyer("silent", recency=400, frequency=0, spend="0.00")
    visitor = buyer("visitor", recency=None, frequency=0, spend="0.00")
    actual = scores(spark, [buyer("u1"), silent, visitor])
    columns = ("user_id", "rfm_status", "recency_days", "frequency", "monetary_amount", "r_score", "rfm_name")
    nothing = (None, None, None, None, None)
    expected = [
        ("u1", "scored", 10, 1, "10.00", 1, "insufficient variety"),
        ("silent", "not_scored", *nothing),
        ("visitor", "not_scored", *nothing),
    ]
    assert_rows(actual.select(*columns), expected)


def test_shared_users_are_dropped(spark):
    rows = [buyer("card"), buyer("till", frequency=9, status="shared")]
    assert_rows(scores(spark, rows).select("user_id", "f_score"), [("card", 1)])


def test_the_period_is_the_configured_one(spark):
    rows = [buyer("u1", frequency=1, days=90), buyer("u2", frequency=2, days=90), buyer("u3", frequency=9)]
    actual = scores(spark, rows, config(period_days=90)).select("user_id", "rfm_period_days", "frequency")
    assert_rows(actual, [("u1", 90, 1), ("u2", 90, 2), ("u3", 90, None)])


@pytest.mark.parametrize(("n_buyers", "status"), [(4, "insufficient_data"), (5, "scored")])
def test_too_few_buyers_are_not_scored(spark, n_buyers, status):
    rows = [buyer(f"u{n}") for n in range(n_buyers)]
    rows += [buyer(f"v{n}", frequency=0) for n in range(5)]
    actual = scores(spark, rows, config(min_users=5)).where("user_id LIKE 'u%'")
    assert_rows(actual.select("rfm_status").distinct(), [(status,)])


@pytest.mark.parametrize(("days", "status", "score"), [(29, "insufficient_data", None), (30, "scored", 1)])
def test_too_short_a_history_is_not_scored(spark, days, status, score):
    actual = scored(buyers(spark, [buyer()]), config(min_history_days=30), D - timedelta(days=days))
    assert_rows(actual.select("rfm_status", "r_score"), [(status, score)])


def test_each_date_is_a_population_of_its_own(spark):
    early = date(2026, 6, 29)
    rows = [buyer("u1", frequency=1), buyer("u2", frequency=2), buyer("u1", frequency=9, as_of=early)]
    actual = scores(spark, rows).select("as_of", "user_id", "f_score")
    assert_rows(actual, [(D, "u1", 1), (D, "u2", 3), (early, "u1", 1)])


def test_fixed_cut_points_replace_quintiles(spark):
    """The name of each user is the expected score; a value on a cut point has the better score."""
    cuts = {"recency": (90, 60, 30, 7), "frequency": (2, 4, 8, 16), "monetary": (0, 1000, 2000, 3000)}
    rows = [
        buyer("1a", recency=91, frequency=1, spend="-0.01"),
        buyer("2a", recency=90, frequency=2, spend="0.00"),
        buyer("2b", recency=61, frequency=3, spend="9.99"),
        buyer("3a", recency=60, frequency=4, spend="10.00"),
        buyer("4a", recency=30, frequency=8, spend="20.00"),
        buyer("4b", recency=8, frequency=15, spend="29.99"),
        buyer("5a", recency=7, frequency=16, spend="30.00"),
    ]
    actual = scores(spark, rows, config(cuts=cuts)).select(*RFM)
    assert_rows(actual, [(row["user_id"], *[int(row["user_id"][0])] * 3) for row in rows])


def test_fixed_cut_points_have_a_row_for_scores_without_users(spark):
    of = config(cuts={"frequency": (2, 4, 8, 16)})
    cuts = to_rfm_cuts(to_rfm(buyers(spark, POPULATION), of), of).where("measure = 'frequency'")
    assert_rows(cuts.drop("as_of", "measure"), [(1, 1, 3), (2, 2, 1), (3, 4, 1), (4, 8, 0), (5, 16, 0)])


def test_a_user_worse_than_every_cut_point_has_the_least_score(spark):
    """For example a user with more days since the last occasion than anybody in the population of the cut points."""
    of = config()
    cuts = to_rfm_cuts(to_rfm(buyers(spark, POPULATION), of), of)
    later = to_rfm(buyers(spark, [buyer("late", recency=300, frequency=1, spend="-9.00")]), of)
    actual = add_scores(later, cuts, of, date(2020, 1, 1)).select("r_score", "f_score", "m_score")
    assert_rows(actual, [(1, 1, 1)])


def test_a_measure_without_fixed_cut_points_keeps_its_quintiles(spark):
    actual = scores(spark, POPULATION, config(cuts={"recency": (90, 60, 30, 7)}))
    assert_rows(
        actual.where("user_id IN ('a', 'd')").select("user_id", "r_score", "f_score"),
        [("a", 3, 1), ("d", 5, 4)],
    )


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        ({"spend": (1, 2, 3, 4)}, "unknown measure spend"),
        ({"frequency": (1, 2, 2, 4)}, "is not in order"),
        ({"recency": (7, 30, 60, 90)}, "recency has to fall"),
    ],
)
def test_invalid_cut_points_are_refused(cuts, message):
    with pytest.raises(ValidationError, match=message):
        config(cuts=cuts)


def test_an_empty_input_gives_no_rows(spark):
    assert_rows(scores(spark, []).select("user_id"), [])


def test_order_and_partitions_do_not_matter(spark):
    rows = [buyer(f"u{n}", recency=n % 7, frequency=1 + n % 5, spend=f"{n % 4}.50") for n in range(40)]
    assert_frames(scored(shuffled(buyers(spark, rows[::-1]))), scores(spark, rows))

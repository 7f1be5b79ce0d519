"""Norms of the population: cycles by channel and for all, and the median spend."""

import pytest

from lifestage.users.features.rhythm import add_gaps, build_cycle_norms, build_spend_norms, to_quantiles
from support.frames import assert_rows, shuffled
from users.features.builders import D, before, config_of
from users.features.people import every, people, person

RHYTHM = config_of(min_channel_gaps=5).rhythm
NORM = ("as_of", "group", "value", "n")


def cycles(spark, rows):
    return build_cycle_norms(add_gaps(people(spark, rows)), RHYTHM).select(*NORM)


def values(spark, numbers, group="g"):
    return spark.createDataFrame([(D, group, n) for n in numbers], "as_of date, group string, value int")


@pytest.mark.parametrize(
    ("numbers", "percent", "expected"),
    [
        ([10, 20, 30, 40], 80, 40),
        ([10, 20, 30, 40, 50], 80, 40),
        ([10, 20, 30, 40], 50, 20),
        ([10, 20, 30], 50, 20),
        ([7], 80, 7),
        ([5, 5, 5, 5, 90], 80, 5),
        ([5, 5, 5, 90, 90], 80, 90),
    ],
)
def test_a_quantile_is_the_least_value_whose_cumulative_share_reaches_it(spark, numbers, percent, expected):
    actual = to_quantiles(shuffled(values(spark, numbers), 3), percent)
    assert_rows(actual, [(D, "g", expected, len(numbers))])


def test_gaps_are_pooled_by_first_channel_and_over_all(spark):
    store = person("u1", every(10, 4), channel="store")
    more = person("u2", every(20, 1), channel="store")
    web = person("u3", every(90, 5), channel="web")
    assert_rows(
        cycles(spark, [store, more, web]), [(D, "store", 10, 5), (D, "web", 90, 5), (D, None, 90, 10)]
    )


def test_users_without_a_channel_count_in_all_only(spark):
    assert_rows(cycles(spark, [person("u1", every(10, 2), channel=None)]), [(D, None, 10, 2)])


def test_a_shared_identifier_sets_no_norm(spark):
    till = person("till", every(1, 50), status="shared")
    card = person("card", every(30, 4))
    assert_rows(cycles(spark, [till, card]), [(D, "store", 30, 4), (D, None, 30, 4)])


def test_each_date_has_norms_of_its_own(spark):
    early = before(100)
    rows = [person("u1", every(10, 4)), person("u1", every(50, 1), as_of=early)]
    expected = [(D, "store", 10, 4), (D, None, 10, 4), (early, "store", 50, 1), (early, None, 50, 1)]
    assert_rows(cycles(spark, rows), expected)


def test_nobody_with_two_occasions_gives_no_cycle(spark):
    assert_rows(cycles(spark, [person("u1", [3])]), [])


def test_the_median_spend_is_a_spend_that_occurs(spark):
    spends = [
        person(f"u{n}", [1], spend=spend) for n, spend in enumerate(["1.00", "20.00", "30.01", "99.00"])
    ]
    others = [
        person("silent", [400]),
        person("visitor", last_active_on=D),
        person("till", [1], status="shared", spend="0.01"),
    ]
    actual = build_spend_norms(people(spark, [*spends, *others])).select(*NORM)
    assert_rows(actual, [(D, None, 2000, 4)])

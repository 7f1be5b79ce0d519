from datetime import date

import pytest

from lifestage.platform.runtime.as_of_join import join_as_of
from support.frames import assert_rows, shuffled

VERSIONS = [
    ("p1", "food", date(1, 1, 1), date(2026, 3, 5)),
    ("p1", "drinks", date(2026, 3, 5), date(9999, 12, 31)),
    ("7", "toys", date(2026, 3, 8), date(2026, 3, 9)),
]


@pytest.fixture
def products(spark):
    return spark.createDataFrame(VERSIONS, "id string, category string, valid_from date, valid_to date")


def sold(spark, *rows):
    return spark.createDataFrame(rows, "product string, day date, n int")


def test_each_row_gets_the_version_of_its_day(spark, products):
    rows = sold(spark, ("p1", date(2026, 3, 4), 1), ("p1", date(2026, 3, 5), 2), ("P1", date(1970, 1, 1), 3))
    joined = join_as_of(shuffled(rows), products, "products", {"id": "lower(product)"}, "day")
    assert joined.columns == ["product", "day", "n", "products"]
    assert_rows(joined.select("n", "products.category"), [(1, "food"), (2, "drinks"), (3, "food")])


def test_a_row_without_a_match_is_kept_with_null(spark, products):
    days = [date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 9)]
    rows = sold(spark, *[("7", day, 1) for day in days], (None, days[0], 2), ("p9", None, 3))
    joined = join_as_of(rows, products, "products", {"id": "product"}, "day")
    expected = [(days[0], None), (days[1], "toys"), (days[2], None), (days[0], None), (None, None)]
    assert_rows(joined.select("day", "products.category"), expected)


def test_all_keys_are_compared_as_text(spark):
    rates = spark.sql(
        "SELECT '7' id, 'EUR' currency, 1.1 rate, DATE'0001-01-01' valid_from, DATE'9999-12-31' valid_to"
    )
    rows = sold(spark, ("EUR", date(2026, 3, 1), 7), ("USD", date(2026, 3, 1), 7))
    joined = join_as_of(rows, rates, "rates", {"id": "n", "currency": "product"}, "day")
    assert_rows(joined.select("product", "rates.rate"), [("EUR", "1.1"), ("USD", None)])

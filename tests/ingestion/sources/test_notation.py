from datetime import datetime
from decimal import Decimal

import pytest
from pyspark.sql import functions as F

from lifestage.ingestion.sources.notation import EPOCHS, NUMBERS, to_instant, to_plain_number
from support.frames import assert_rows

POINT = {
    "$1,234.56": "1234.56",
    "1234.5": "1234.5",
    "($5.00)": "-5.00",
    "-$5": "-5",
    "$-5": "-5",
    "5.00-": "-5.00",
    "\u22127.10 USD": "-7.10",
    "R$ 1\u00a0234.00": "1234.00",
    "1'234.50 CHF": "1234.50",
    "12,34,567.80": "1234567.80",
    ".5": ".5",
    "0": "0",
}
COMMA = {"1.234,56 EUR": "1234.56", "€ 12,5": "12.5", "-3,00": "-3.00", "1 234,56": "1234.56", "7": "7"}
NO_NUMBER = ["", "abc", "1.2.3", "1,23", "(5", "5)", "--5", "1e5", "12abcde", "$", "1,2345", "5 or 6 x"]


@pytest.mark.parametrize(("notation", "texts"), [("1,234.56", POINT), ("1.234,56", COMMA)])
def test_money_is_read_as_written(spark, notation, texts):
    rows = spark.createDataFrame([(text,) for text in [*texts, *NO_NUMBER]], "text string")
    found = rows.select("text", to_plain_number(F.col("text"), notation).alias("number"))
    others = {"1,23": "1.23", "1,2345": "1.2345"} if notation == "1.234,56" else {}
    assert_rows(found, [*texts.items(), *[(text, others.get(text)) for text in NO_NUMBER]])


def test_both_notations_refuse_the_sign_of_the_other_where_it_groups_wrongly(spark):
    rows = spark.createDataFrame([("1.234.56",), ("1,234,56",), ("1.5",)], "text string")
    values = [to_plain_number(F.col("text"), notation).alias(f"as_{n}") for n, notation in enumerate(NUMBERS)]
    assert_rows(
        rows.select("text", *values),
        [("1.234.56", None, None), ("1,234,56", None, None), ("1.5", "1.5", None)],
    )


@pytest.mark.parametrize(
    ("unit", "text"), [*zip(EPOCHS, ["1767610800.25", "1767610800250", "1767610800250000"], strict=True)]
)
def test_a_count_from_1970_is_an_instant(spark, unit, text):
    rows = spark.createDataFrame([(text,), ("x",), ("99999999999999999999",)], "text string")
    at = datetime(2026, 1, 5, 11, 0, 0, 250_000)
    assert_rows(rows.select(to_instant(F.col("text"), unit).alias("at")), [(at,), (None,), (None,)])


def test_a_sum_of_money_keeps_its_cents(spark):
    rows = spark.createDataFrame([("$0.10",), ("($0.30)",), ("$1,000.20",)], "text string")
    total = F.sum(to_plain_number(F.col("text"), "1,234.56").cast("decimal(18,2)"))
    assert rows.select(total).first()[0] == Decimal("1000.00")

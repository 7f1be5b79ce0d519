"""Expressions that Python evaluates give what Spark gives."""

from datetime import date
from decimal import Decimal

import pytest

from lifestage.platform.config.evaluation import evaluate
from lifestage.platform.errors import NeedsSparkError
from lifestage.platform.runtime.frames import local_rows

SCHEMA = "n bigint, small int, share double, amount decimal(18,2), flag boolean, day date, name string"
ROWS = [
    (3, -2, 0.25, Decimal("-1.50"), True, date(2026, 1, 2), "x"),
    (0, 0, -0.0, Decimal("0.00"), False, date(2025, 1, 1), ""),
    (2, 2, 1e300, Decimal("2.00"), None, date(2026, 1, 1), "y"),
    (None, None, None, None, None, None, None),
]
EXPRESSIONS = [
    "n", "amount", "share", "-n", "-amount", "-share", "(n)", "7", "-7", "NULL", "true", "flag", "NOT flag",
    "IF(n >= 2, 1, 0)", "IF(n > small, amount, 0)", "IF(flag, n, small)", "IF(n IS NULL, -1, n)",
    "CASE WHEN n > 2 THEN 1 WHEN n IS NULL THEN 2 END", "CASE WHEN amount < 0 THEN n ELSE small END",
    "coalesce(n, small, 9)", "coalesce(amount, 0)", "n > 1 AND flag", "n > 1 OR flag", "NOT (n > 1 AND flag)",
    "n IS NOT NULL", "n <> 2", "n != small", "n = amount", "amount <= 2", "day < day", "n <= small OR amount IS NULL",
]  # fmt: skip


def test_simple_expressions_give_what_spark_gives(spark):
    frame = local_rows(spark, ROWS, SCHEMA)
    found = frame.selectExpr("*", *[f"{sql} AS `{sql} `" for sql in EXPRESSIONS]).collect()
    for row in found:
        given = {name: row[name] for name in frame.columns}
        assert {sql: evaluate(sql, given) for sql in EXPRESSIONS} == {
            sql: row[f"{sql} "] for sql in EXPRESSIONS
        }


@pytest.mark.parametrize(
    "sql",
    [
        "n + 1", "n / 2", "amount * n", "share > 1", "share = n", "name > 1", "n > 1.5", "1.5", "abs(n)", "flag > 0", "-flag",
        "t.n", "missing", "day > '2026-01-01'", "n BETWEEN 1 AND 2", "NOT n", "IF(n, 1, 0)", "CASE n WHEN 1 THEN 2 END",
        "CAST(n AS double)", "n IS true",
    ],
)  # fmt: skip
def test_other_expressions_need_spark(sql):
    row = dict(zip(("n", "small", "share", "amount", "flag", "day", "name"), ROWS[0], strict=True))
    with pytest.raises(NeedsSparkError, match="by Spark only"):
        evaluate(sql, row)

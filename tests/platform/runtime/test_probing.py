from pathlib import Path

import pytest

from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.config.expressions import ExpressionKind
from lifestage.platform.runtime.probing import build_odd_rows, probe_expressions

COLUMNS = {
    "name": "string",
    "n": "int",
    "spend": "decimal(18,2)",
    "share": "double",
    "day": "date",
    "at": "timestamp",
    "is_new": "boolean",
    "days": "array<date>",
    "attributes": "map<string,string>",
    "products.price": "decimal(10,2)",
    "products.brand": "string",
}
FILE = Path("sources/till.yaml")


@pytest.fixture(scope="module")
def probe(spark_session):
    def probe(*sqls, kind=ExpressionKind.VALUE):
        expressions = [
            Expression(FILE, f"map.c{number}", sql, COLUMNS, kind) for number, sql in enumerate(sqls)
        ]
        return [*probe_expressions(spark_session, expressions)]

    return probe


REFUSED = {
    "no_such_function(name)": "Cannot resolve routine `no_such_function`",
    "substr(name)": "The `substr` requires [2, 3] parameters but the actual number is 1",
    "products.colour": "`products`.`colour` cannot be resolved",
    "is_new + 1": "data type mismatch",
    "date_add(name, days)": "data type mismatch",
    "filter(days, x -> missing = x)": "`missing` cannot be resolved",
}
FAILING = {
    "to_date(name)": 'cannot be cast to "DATE"',
    "to_timestamp(name, 'yyyy-MM-dd')": "could not be parsed",
    "name > 5": 'cannot be cast to "BIGINT"',
    "n IN ('a', 'b')": "cannot be cast",
    "month(name)": 'cannot be cast to "DATE"',
    "make_date(n, 2, 30)": "Invalid date",
    "date_add(day, name)": 'cannot be cast to "INT"',
    "1 / n": "Division by zero",
    "n % n": "Remainder by zero",
    "element_at(days, n)": "index",
    "days[n]": "out of bounds",
    "name RLIKE '('": "`regexp` in `rlike` is invalid",
    "regexp_extract(name, 'x', 3)": "group index",
    "regexp_replace(name, name, '')": "`regexp` in `regexp_replace` is invalid",
    "date_format(at, 'bb')": "pattern",
    "from_utc_timestamp(at, name)": "The timezone: ",
    "next_day(day, name)": "day",
    "CAST(name AS INT)": 'cannot be cast to "INT"',
    "unix_timestamp(name)": "could not be parsed",
    "assert_true(n > 0)": "is not true",
    "to_number(name, '999')": "The format is invalid",
    "elt(n, name, name)": "out of bounds",
    "coalesce(n, name)": "cannot be cast",
    "map_from_arrays(days, days)": "map key",
}


@pytest.mark.parametrize(("sql", "message"), REFUSED.items())
def test_an_expression_that_spark_cannot_analyse_is_named(probe, sql, message):
    (problem,) = probe("upper(name)", sql, "n + 1")
    assert problem.startswith(f"{FILE}: map.c1: ")
    assert message in problem
    assert problem.endswith(f", in: {sql}")
    assert "SQLSTATE" not in problem
    assert "\n" not in problem


def test_every_expression_that_fails_on_a_value_is_named(probe):
    """All in one call, so that one that fails does not hide the others."""
    problems = probe("upper(name)", *FAILING)
    by_sql = {problem.rpartition(", in: ")[2]: problem for problem in problems}
    assert by_sql.keys() == FAILING.keys()
    for sql, message in FAILING.items():
        assert "fails the run on one bad row: " in by_sql[sql]
        assert message in by_sql[sql], by_sql[sql]


def test_expressions_that_hold_for_every_value_pass(probe):
    passing = (
        "try_cast(name AS INT)", "try_divide(spend, n)", "n * spend * products.price", "get(days, n)", "try_to_date(name)",
        "coalesce(products.brand, upper(name), 'none')", "CASE WHEN n > 0 THEN 'a' ELSE 'b' END", "attributes['x']",
        "date_add(day, n)", "convert_timezone('UTC', 'America/New_York', at)", "size(days)", "round(share * 100, 1)",
        "regexp_extract(name, '([0-9]+)', 1)", "split(name, '[|]')[0]", "exists(days, x -> x > day)", "at + INTERVAL 12 HOURS",
    )  # fmt: skip
    assert probe(*passing) == []


def test_an_expression_without_columns_is_tried(probe):
    assert probe("true", "concat('a', 'b')") == []
    (problem,) = probe("to_date('soon')")
    assert "cannot be cast" in problem


def test_a_type_that_only_spark_knows_is_compared_with_the_expected_one(probe):
    (problem,) = probe("transform(days, x -> 1)", kind=ExpressionKind.CONDITION)
    assert problem.endswith(
        "gives array<int>, expected a condition that is true or false, in: transform(days, x -> 1)"
    )


def test_the_rows_hold_every_value_beside_others(spark_session):
    rows = build_odd_rows(spark_session, {"a": "string", "b": "string", "t.n": "int"}).collect()
    assert (rows[0].a, rows[0].b, rows[0].t) == (None, None, None)
    assert {row.a for row in rows} == {row.b for row in rows} >= {None, "", "x", "("}
    assert {row.t.n for row in rows if row.t} >= {None, 0, -1}
    small = build_odd_rows(spark_session, {"d": "decimal(3,2)"}).collect()
    assert {row.d for row in small} == {None, 0, 1, -1, 7}
    assert len({(row.a, row.b) for row in rows}) > 50

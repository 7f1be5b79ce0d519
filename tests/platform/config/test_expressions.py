import pytest

from lifestage.platform.config.expressions import (
    ExpressionKind,
    columns_of,
    expression_problems,
    find_type_problems,
    normalise_sql,
    parse,
    semantic_hash,
)

KNOWN = {"amount", "items", "sold_at", "products.category"}


def problems(sql):
    return list(expression_problems(sql, KNOWN))


@pytest.mark.parametrize(
    "sql",
    [
        "amount > 0 AND items IS NOT NULL",
        "CASE WHEN amount < 0 THEN 'return' ELSE 'purchase' END",
        "coalesce(products.category, 'none')",
        "convert_timezone('UTC', 'Europe/Berlin', sold_at + INTERVAL 12 HOURS)",
        "unix_timestamp(sold_at)",
        "greatest(amount, 0)",
    ],
)
def test_a_scalar_expression_over_known_columns_has_no_problem(sql):
    assert problems(sql) == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("amount = ", "not SQL"),
        ("select amount", "not SQL"),
        ("amount, items", "one scalar expression is expected, not a query"),
        ("amount; items", "one scalar expression is expected, not a query"),
        ("amount IN (SELECT x FROM t)", "one scalar expression is expected, not a query"),
        ("amount > 0 WHERE items > 1", "one scalar expression is expected, without clauses"),
        ("amount ORDER BY items", "one scalar expression is expected, without clauses"),
        ("DISTINCT amount", "one scalar expression is expected, without clauses"),
        ("amount > 0;", "one scalar expression is expected, without clauses"),
        ("amount > 0 -- always", "comments are not allowed"),
        ("(" * 2000 + "amount" + ")" * 2000, "nested too deeply"),
        ("amount AS x", "one scalar expression without a name is expected"),
        ("*", "one scalar expression without a name is expected"),
    ],
)
def test_text_that_is_not_one_expression_is_the_only_problem_and_is_quoted(sql, expected):
    (problem,) = problems(sql)
    assert problem.startswith(expected)
    assert problem.endswith(f"in: {sql}")


@pytest.mark.parametrize("sql", ["IDENTIFIER('email')", ":name", "?"])
def test_a_computed_column_name_is_refused(sql):
    assert any("are not allowed, name the columns" in problem for problem in problems(sql))


@pytest.mark.parametrize("sql", ["amount / 0", "amount % 0", "amount DIV items", "mod(amount, items)"])
def test_a_divisor_that_may_be_zero_is_refused(sql):
    assert problems(sql) == [f"a division by zero fails the run, use try_divide or try_mod, in: {sql}"]


def test_a_string_literal_may_hold_anything():
    assert problems("products.category = 'a; b -- c'") == []


def test_stars_and_functions_that_fail_a_run_are_refused():
    assert problems("to_json(struct(*))") == ["* is not allowed, name the columns, in: to_json(struct(*))"]
    (problem,) = problems("raise_error('no')")
    assert problem == "raise_error() fails the run on one row, in: raise_error('no')"


@pytest.mark.parametrize(
    "sql",
    ["(SELECT 1)", "sum(amount)", "count(*)", "explode(items)", "row_number() OVER (ORDER BY amount)"],
)
def test_queries_windows_and_aggregates_are_refused(sql):
    assert problems(sql) == [f"queries, windows and aggregates are not allowed, in: {sql}"]


@pytest.mark.parametrize(
    "sql",
    [
        "now()",
        "current_date",
        "CURRENT_TIMESTAMP()",
        "datediff(current_date(), sold_at)",
        "unix_timestamp()",
        "localtimestamp()",
        "rand(7)",
        "uuid()",
        "shuffle(items)",
        "monotonically_increasing_id()",
        "input_file_name()",
        "current_user()",
    ],
)
def test_clocks_randomness_and_the_session_are_refused(sql):
    assert any("reads a clock, randomness or the session" in problem for problem in problems(sql))


@pytest.mark.parametrize(
    "sql", ["sold_at < TIMESTAMP 'now'", "to_date(' Today ') > sold_at", "sold_at > 'yesterday'"]
)
def test_a_text_that_spark_reads_as_now_is_a_clock(sql):
    (problem,) = problems(sql)
    assert "is a clock where a date is expected" in problem


def test_an_unknown_column_is_named_with_the_nearest_known_one():
    assert problems("amuont > 0") == ["unknown column amuont, in: amuont > 0 (did you mean amount?)"]


def test_a_struct_field_is_a_column_of_its_own():
    assert problems("products.brand = 'x'")[0].startswith("unknown column products.brand")


def test_every_problem_of_an_expression_is_reported():
    found = problems("now() > foo AND rand() > bar")
    assert [problem.split(",")[0] for problem in found if problem.startswith("unknown")] == [
        "unknown column bar",
        "unknown column foo",
    ]
    assert any(problem.startswith("now()") for problem in found)
    assert any(problem.startswith("rand()") for problem in found)


def test_lambda_parameters_are_not_columns_inside_their_lambda():
    assert problems("filter(items, (x, i) -> x > amount AND i > 0)") == []
    assert problems("aggregate(items, 0, (acc, x) -> acc + x)") == []
    assert columns_of("exists(items, x -> x = other)") == {"items", "other"}
    assert columns_of("x > 0 AND exists(items, x -> x > 0)") == {"items", "x"}


def test_parse_returns_the_tree_of_the_expression():
    assert parse("amount + 1").sql("spark") == "amount + 1"


def test_a_semantic_hash_ignores_key_order_only():
    assert semantic_hash({"a": 1, "b": [1, 2]}) == semantic_hash({"b": [1, 2], "a": 1})
    assert semantic_hash({"a": 1}) != semantic_hash({"a": 2})
    assert semantic_hash([1, 2]) != semantic_hash([2, 1])


TYPED = {
    "n": "bigint",
    "is_new": "boolean",
    "spend": "decimal(18,2)",
    "stage": "string",
    "days": "array<date>",
}


@pytest.mark.parametrize(
    "sql",
    [
        "n > 1", "is_new", "NOT is_new", "coalesce(is_new, false)", "IF(n > 1, is_new, false)", "true", "NULL",
        "stage IN ('a', 'b') OR spend BETWEEN 1 AND 2", "exists(days, day -> day > DATE'2026-01-01')", "isnull(n)",
    ],
)  # fmt: skip
def test_boolean_expressions_are_conditions(sql):
    assert list(find_type_problems(sql, TYPED, ExpressionKind.CONDITION)) == []


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("n", "bigint"),
        ("spend + 1", "decimal(18, 2)"),
        ("'x'", "string"),
        ("CASE WHEN is_new THEN 1 END", "int"),
    ],
)
def test_other_expressions_are_refused_with_their_type(sql, kind):
    (problem,) = find_type_problems(sql, TYPED, ExpressionKind.CONDITION)
    assert problem == f"gives {kind}, expected a condition that is true or false, in: {sql}"


@pytest.mark.parametrize(
    "sql",
    [
        "stage > 5",
        "n = stage",
        "stage IN (1, 2)",
        "stage BETWEEN n AND 9",
        "stage + 1 > 2",
        "r.born = DATE'2026-01-01'",
    ],
)
def test_a_text_that_spark_would_cast_is_refused(sql):
    (problem,) = find_type_problems(sql, {**TYPED, "r.born": "string"}, ExpressionKind.CONDITION)
    assert "is text: compared with another type, it fails the run on one bad row, use TRY_CAST" in problem


@pytest.mark.parametrize(
    "sql",
    [
        "stage > '5'",
        "try_cast(stage AS INT) > 5",
        "n = 5 AND stage = 'x'",
        "stage || 'x' = 'yx'",
        "r.born = stage",
        "n > '5'",
    ],
)
def test_texts_are_compared_with_texts(sql):
    assert list(find_type_problems(sql, {**TYPED, "r.born": "string"}, ExpressionKind.CONDITION)) == []


def test_an_unknown_column_is_the_only_problem_of_its_condition():
    (problem,) = find_type_problems("spent > 1", TYPED, ExpressionKind.CONDITION)
    assert problem.startswith("unknown column spent")
    assert problem.endswith("(did you mean spend?)")


def test_normalised_sql_ignores_white_space_and_keyword_case():
    assert normalise_sql("n>1   and stage='X'") == normalise_sql("n > 1 AND\n stage = 'X'")
    assert normalise_sql("stage = 'x'") != normalise_sql("stage = 'X'")

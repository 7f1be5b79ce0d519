"""Parse and check the SQL expressions of a configuration, before Spark starts."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types

from lifestage.platform.errors import did_you_mean

# With a clock or a random number, a rebuild would differ from the run.
VOLATILE = {
    "current_date", "current_timestamp", "current_time", "current_timezone", "current_user", "curdate",
    "getdate", "localtimestamp", "now", "unix_timestamp", "rand", "random", "randn", "randstr", "uniform", "uuid",
    "shuffle", "monotonically_increasing_id", "spark_partition_id", "input_file_name", "session_user", "user",
    "utc_timestamp", "utc_date", "utc_time", "curtime", "version", "current_catalog", "current_database", "current_schema", "reflect", "java_method", "try_reflect",
}  # fmt: skip

UNKNOWN_TYPES = {"UNKNOWN", "NULL", "VOID"}
BOOLEAN_TYPES = {"BOOLEAN", *UNKNOWN_TYPES}
# A date is refused where it is mapped, with a hint. A text is read as one.
INSTANT_TYPES = {
    "TIMESTAMP",
    "TIMESTAMP_NTZ",
    "TIMESTAMPTZ",
    "TIMESTAMPLTZ",
    "DATETIME",
    "DATE",
    "STRING",
    *UNKNOWN_TYPES,
}
# A boolean counts as 1 or 0.
NUMBER_TYPES = {"TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", *BOOLEAN_TYPES}

FAILING = {"raise_error", "assert_true", "url_decode", "parse_url", "parse_json", "to_number", "to_binary"}

# Spark reads these texts as a point in time wherever it expects a date or timestamp.
CLOCK_TEXTS = {"now", "today", "tomorrow", "yesterday"}


def parse(sql: str) -> exp.Expression:
    """Parse one Spark SQL scalar expression into its tree.

    Raises:
        ValueError: if the text is not SQL, or is anything but one unnamed scalar expression without comments.
    """
    try:
        tree = sqlglot.parse_one(f"SELECT {sql}", read="spark")
    except SqlglotError as error:
        # The error's own message names classes of the parser, so use only its position.
        places = error.errors if isinstance(error, ParseError) else []
        near = "".join(f" near {place['highlight']}" for place in places[:1])
        raise ValueError(f"not SQL{near}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or tree.find(exp.From):
        raise ValueError("one scalar expression is expected, not a query")
    if ";" in sql.rsplit("'", 1)[-1] or any(
        value for key, value in tree.args.items() if key != "expressions"
    ):
        raise ValueError("one scalar expression is expected, without clauses of a query")
    if any(node.comments for node in tree.walk()):
        # A trailing comment would swallow whatever SQL follows the expression.
        raise ValueError("comments are not allowed")
    if isinstance(tree.expressions[0], exp.Alias | exp.Star):
        raise ValueError("one scalar expression without a name is expected")
    expression: exp.Expression = tree.expressions[0]
    return expression


def columns_of(sql: str) -> set[str]:
    """Return the columns that an expression uses, qualified ones as `table.column`, without lambda parameters.

    Example:
        >>> sorted(columns_of("upper(products.category) = kind"))
        ['kind', 'products.category']
    """
    return {".".join(part.name for part in column.parts) for column in parse(sql).find_all(exp.Column)}


def expression_problems(sql: str, known: Collection[str]) -> Iterator[str]:
    """Yield a message for each problem of an expression over the known columns.

    Problems are syntax errors, queries and aggregates, clocks and randomness, unknown columns, and operations that
    fail the run on one bad row.

    Example:
        >>> list(expression_problems("amont > 0", ["amount"]))
        ['unknown column amont, in: amont > 0 (did you mean amount?)']
    """
    try:
        tree = parse(sql)
    except ValueError as error:
        yield f"{error}, in: {sql}"
        return
    functions = _function_names(tree)
    if tree.find(exp.Subquery, exp.Select, exp.Window, exp.AggFunc, exp.UDTF):
        yield f"queries, windows and aggregates are not allowed, in: {sql}"
    elif tree.find(exp.Placeholder, exp.Parameter) or "identifier" in functions:
        # If a name is computed, it cannot be compared with the known columns.
        yield f"parameters and IDENTIFIER() are not allowed, name the columns, in: {sql}"
    elif tree.find(exp.Star):
        # It would include columns that no expression may use, such as identifiers.
        yield f"* is not allowed, name the columns, in: {sql}"
    for name in sorted(functions & FAILING):
        yield f"{name}() fails the run on one row, in: {sql}"
    for name in sorted(functions & VOLATILE):
        yield f"{name}() reads a clock, randomness or the session, in: {sql}"
    texts = {literal.this.strip().lower() for literal in tree.find_all(exp.Literal) if literal.is_string}
    for text in sorted(texts & CLOCK_TEXTS):
        yield f"'{text}' is a clock where a date is expected, in: {sql}"
    for name in sorted(columns_of(sql) - set(known)):
        yield f"unknown column {name}, in: {sql}{did_you_mean(name, known)}"
    for problem in _failing_operations(tree):
        yield f"{problem}, in: {sql}"


def condition_problems(sql: str, known: Mapping[str, str]) -> Iterator[str]:
    """Yield the problems of an expression that must be true or false (see `expression_problems`).

    Accepts a type that only Spark can infer, such as that of a column of reference data.

    Args:
        sql: The condition.
        known: Column to SQL type.
    """
    yield from _type_problems(sql, known, BOOLEAN_TYPES, "a condition that is true or false")


def number_problems(sql: str, known: Mapping[str, str]) -> Iterator[str]:
    """Yield the problems of an expression that must give a number. Otherwise like `condition_problems`."""
    yield from _type_problems(sql, known, NUMBER_TYPES, "a number")


def instant_problems(sql: str, known: Mapping[str, str]) -> Iterator[str]:
    """Yield the problems of an expression that must give a point in time. Otherwise like `condition_problems`."""
    yield from _type_problems(sql, known, INSTANT_TYPES, "a point in time")


def normalise_sql(sql: str) -> str:
    """Return the expression in a normal form that ignores white space, keyword case and needless quotes."""
    return parse(sql).sql(dialect="spark", comments=False)


def semantic_hash(value: object) -> str:
    """Return 16 hex digits that identify the meaning of a definition, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _failing_operations(tree: exp.Expression) -> Iterator[str]:
    """Yield a message for casts, divisions and indexes that fail the run on one bad row."""
    if not all(_is_safe_cast(cast) for cast in tree.find_all(exp.Cast)):
        yield "CAST fails the run on one bad row, use TRY_CAST"
    for node in tree.find_all(exp.Div, exp.IntDiv, exp.Mod):
        divisor = node.expression
        if not isinstance(divisor, exp.Literal) or divisor.is_string or float(divisor.this) == 0:
            yield "a division by zero fails the run, use try_divide or try_mod"
            break
    # A map gives NULL for a missing key, and split() always has a first part.
    indexes = [index for node in tree.find_all(exp.Bracket) for index in node.expressions]
    if not all(
        isinstance(index, exp.Literal) and (index.is_string or index.this == "0") for index in indexes
    ):
        yield "an index out of range fails the run, use get() or try_element_at()"


def _is_safe_cast(cast: exp.Cast) -> bool:
    """Return whether a cast never fails: TRY_CAST, to text, of a literal, or implied by a time zone function."""
    is_implied = isinstance(cast.parent, exp.AtTimeZone | exp.FromTimeZone)
    is_literal = isinstance(cast.this, exp.Literal)
    return (
        bool(cast.args.get("safe")) or cast.to.is_type(*exp.DataType.TEXT_TYPES) or is_implied or is_literal
    )


def _type_problems(
    sql: str, known: Mapping[str, str], types: Collection[str], expected: str
) -> Iterator[str]:
    problems = [*expression_problems(sql, known)]
    yield from problems
    if not problems and (sql_type := _infer_type(sql, known)).partition("(")[0] not in types:
        yield f"gives {sql_type.lower()}, expected {expected}, in: {sql}"


def _infer_type(sql: str, known: Mapping[str, str]) -> str:
    tree = parse(sql).copy()
    for column in tree.find_all(exp.Column):
        if not column.table and column.name in known:
            column.set("table", exp.to_identifier("_rows"))
    query = annotate_types(exp.select(tree).from_("_rows"), schema={"_rows": dict(known)}, dialect="spark")
    data_type = query.selects[0].type
    return data_type.sql(dialect="spark") if data_type else "UNKNOWN"


def _function_names(tree: exp.Expression) -> set[str]:
    names = {node.name.lower() for node in tree.find_all(exp.Anonymous)}
    for node in tree.find_all(exp.Func):
        if not isinstance(node, exp.Anonymous):
            names |= {name.lower() for name in node.sql_names()} | {node.key}
    return names

"""Parse and check the SQL expressions of a configuration, before Spark starts."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.schema import MappingSchema

from lifestage.platform.errors import did_you_mean

# With a clock or a random number, a rebuild would differ from the run.
VOLATILE = {
    "current_date", "current_timestamp", "current_time", "current_timezone", "current_user", "curdate",
    "getdate", "localtimestamp", "now", "unix_timestamp", "rand", "random", "randn", "randstr", "uniform", "uuid",
    "shuffle", "monotonically_increasing_id", "spark_partition_id", "input_file_name", "session_user", "user",
    "utc_timestamp", "utc_date", "utc_time", "curtime", "version", "current_catalog", "current_database", "current_schema", "reflect", "java_method", "try_reflect",
}  # fmt: skip


class ExpressionKind(StrEnum):
    """What an expression must give."""

    VALUE = "a value"
    CONDITION = "a condition that is true or false"
    NUMBER = "a number"
    INSTANT = "a point in time"


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
TYPES_BY_KIND = {
    ExpressionKind.VALUE: (),
    ExpressionKind.CONDITION: BOOLEAN_TYPES,
    ExpressionKind.NUMBER: NUMBER_TYPES,
    ExpressionKind.INSTANT: INSTANT_TYPES,
}
# Spark casts a text that it compares with a value of one of these types.
CAST_FROM_TEXT = (*exp.DataType.NUMERIC_TYPES, *exp.DataType.TEMPORAL_TYPES, exp.DataType.Type.BOOLEAN)

FAILING = {"raise_error", "assert_true", "url_decode", "parse_url", "parse_json", "to_number", "to_binary"}

# Spark reads these texts as a point in time wherever it expects a date or timestamp.
CLOCK_TEXTS = {"now", "today", "tomorrow", "yesterday"}


@lru_cache(maxsize=10_000)
def parse(sql: str) -> exp.Expression:
    """Parse one Spark SQL scalar expression into its tree, which callers must not change.

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


def find_type_problems(sql: str, known: Mapping[str, str], kind: ExpressionKind) -> Iterator[str]:
    """Yield the problems of an expression over columns whose types are known (see `expression_problems`).

    Beside those problems: a text that is compared with a number, date or flag, and a result of another type than
    expected. A type that only Spark can infer is accepted.

    Args:
        sql: The expression.
        known: Column to SQL type; a column of a joined table is `table.column`.
        kind: What the expression must give.

    Example:
        >>> list(find_type_problems("spent", {"spent": "bigint"}, ExpressionKind.CONDITION))
        ['gives bigint, expected a condition that is true or false, in: spent']
    """
    problems = [*expression_problems(sql, known)]
    yield from problems
    if problems:
        return
    tree = _annotate(sql, known)
    if text := next(_find_compared_texts(tree), None):
        yield f"{text} is text: compared with another type, it fails the run on one bad row, use TRY_CAST, in: {sql}"
    sql_type = _type_of(tree)
    if TYPES_BY_KIND[kind] and sql_type.partition("(")[0] not in TYPES_BY_KIND[kind]:
        yield f"gives {sql_type.lower()}, expected {kind}, in: {sql}"


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


def _find_compared_texts(tree: exp.Expression) -> Iterator[str]:
    """Yield each column of text that is compared or computed with a value of another type. Spark casts the text."""
    for node in tree.find_all(exp.Binary, exp.Between, exp.In):
        if isinstance(node, exp.Connector | exp.Dot | exp.DPipe):
            continue
        sides = [side for side in (node.this, *node.iter_expressions()) if isinstance(side, exp.Expression)]
        if any(side.is_type(*CAST_FROM_TEXT) for side in sides):
            yield from (
                side.name
                for side in sides
                if isinstance(side, exp.Column) and side.is_type(*exp.DataType.TEXT_TYPES)
            )


def _annotate(sql: str, known: Mapping[str, str]) -> exp.Expression:
    """Return the tree of an expression with the type of each node, as far as it can be inferred."""
    query = exp.select(parse(sql)).from_("_rows")
    used: dict[str, object] = {}
    for node in [*query.find_all(exp.Column)]:
        name = ".".join(part.name for part in node.parts)
        if name in known:
            used[name] = known[name]
            # The column of a joined table counts as one of the same rows, under its full name.
            node.replace(exp.column(name, table="_rows", quoted=True))
    schema = MappingSchema({"_rows": used} if used else None, dialect="spark", normalize=False)
    return cast(exp.Expression, annotate_types(query, schema=schema).selects[0])


def _type_of(tree: exp.Expression) -> str:
    return tree.type.sql(dialect="spark") if tree.type else "UNKNOWN"


def _function_names(tree: exp.Expression) -> set[str]:
    names = {node.name.lower() for node in tree.find_all(exp.Anonymous)}
    for node in tree.find_all(exp.Func):
        if not isinstance(node, exp.Anonymous):
            names |= {name.lower() for name in node.sql_names()} | {node.key}
    return names

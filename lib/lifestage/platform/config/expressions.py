"""SQL expressions from configuration: parsed and checked before Spark starts."""

import difflib
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types

# A clock or a random number would make a rebuild differ from the run.
VOLATILE = {
    "current_date", "current_timestamp", "current_time", "current_timezone", "current_user", "curdate",
    "getdate", "localtimestamp", "now", "unix_timestamp", "rand", "random", "randn", "randstr", "uniform", "uuid",
    "shuffle", "monotonically_increasing_id", "spark_partition_id", "input_file_name", "session_user", "user",
    "utc_timestamp", "utc_date", "utc_time", "curtime", "version", "current_catalog", "current_database", "current_schema", "reflect", "java_method", "try_reflect",
}  # fmt: skip

UNTOLD = {"UNKNOWN", "NULL", "VOID"}
TRUTHS = {"BOOLEAN", *UNTOLD}
# A truth counts 1 or 0.
NUMBERS = {"TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", *TRUTHS}

FAILING = {"raise_error", "assert_true", "url_decode", "parse_url", "parse_json", "to_number", "to_binary"}

# Spark reads these texts as a moment wherever a date or timestamp is expected.
MOMENTS = {"now", "today", "tomorrow", "yesterday"}


def parse(sql: str) -> exp.Expression:
    """The expression tree of one Spark SQL scalar expression; ValueError where it is not one."""
    try:
        tree = sqlglot.parse_one(f"SELECT {sql}", read="spark")
    except SqlglotError as error:
        raise ValueError(f"not SQL{_near(error)}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or tree.find(exp.From):
        raise ValueError("one scalar expression is expected, not a query")
    if ";" in sql.rsplit("'", 1)[-1] or any(
        value for key, value in tree.args.items() if key != "expressions"
    ):
        raise ValueError("one scalar expression is expected, without clauses of a query")
    if any(node.comments for node in tree.walk()):
        # What is put behind the expression would become a part of the comment.
        raise ValueError("comments are not allowed")
    if isinstance(tree.expressions[0], exp.Alias | exp.Star):
        raise ValueError("one scalar expression without a name is expected")
    expression: exp.Expression = tree.expressions[0]
    return expression


def columns_of(sql: str) -> set[str]:
    """Every column the expression names, qualified ones as `table.column`; lambda parameters are no columns."""
    return {".".join(part.name for part in column.parts) for column in parse(sql).find_all(exp.Column)}


def problems_of(sql: str, known: Collection[str]) -> Iterator[str]:
    """What is wrong with an expression over the known columns: syntax, clocks, randomness, unknown names."""
    try:
        tree = parse(sql)
    except ValueError as error:
        yield f"{error}, in: {sql}"
        return
    if tree.find(exp.Subquery, exp.Select, exp.Window, exp.AggFunc, exp.UDTF):
        yield f"queries, windows and aggregates are not allowed, in: {sql}"
    elif tree.find(exp.Placeholder, exp.Parameter) or "identifier" in _function_names(tree):
        # A name that is not written out cannot be held against the columns that are known.
        yield f"parameters and IDENTIFIER() are not allowed, name the columns, in: {sql}"
    elif tree.find(exp.Star):
        # It would take along what no expression may, identifiers among it.
        yield f"* is not allowed, name the columns, in: {sql}"
    for name in sorted(_function_names(tree) & FAILING):
        yield f"{name}() fails the run on one row, in: {sql}"
    for name in sorted(_function_names(tree) & VOLATILE):
        yield f"{name}() reads a clock, randomness or the session, in: {sql}"
    for text in sorted(_texts(tree) & MOMENTS):
        yield f"'{text}' is a clock where a date is expected, in: {sql}"
    for name in sorted(columns_of(sql) - set(known)):
        yield f"unknown column {name}, in: {sql}{nearest(name, known)}"
    for problem in _unsafe(tree):
        yield f"{problem}, in: {sql}"


def _unsafe(tree: exp.Expression) -> Iterator[str]:
    """One row must not end a run: casts, divisions and indexes have to be the forgiving ones."""
    if not all(_never_fails(cast) for cast in tree.find_all(exp.Cast)):
        yield "CAST fails the run on one bad row, use TRY_CAST"
    if not all(_is_divisor(node.expression) for node in tree.find_all(exp.Div, exp.IntDiv, exp.Mod)):
        yield "a division by zero fails the run, use try_divide or try_mod"
    if not all(_is_there(index) for node in tree.find_all(exp.Bracket) for index in node.expressions):
        yield "an index out of range fails the run, use get() or try_element_at()"


def _never_fails(cast: exp.Cast) -> bool:
    """TRY_CAST (the parser marks it safe), a cast to text, a literal's type, the cast that time zone functions imply."""
    is_implied = isinstance(cast.parent, exp.AtTimeZone | exp.FromTimeZone)
    is_literal = isinstance(cast.this, exp.Literal)
    return (
        bool(cast.args.get("safe")) or cast.to.is_type(*exp.DataType.TEXT_TYPES) or is_implied or is_literal
    )


def _is_divisor(node: exp.Expression) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and float(node.this) != 0


def _is_there(index: exp.Expression) -> bool:
    """A map's missing key is NULL, and split() has a first part always."""
    return isinstance(index, exp.Literal) and (index.is_string or index.this == "0")


def condition_problems(sql: str, known: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with a condition over columns of known types; also that it is not true or false.

    A type that cannot be told without Spark, such as that of a column of reference data, is taken for right.
    """
    yield from _problems_as(sql, known, TRUTHS, "a condition that is true or false")


def number_problems(sql: str, known: Mapping[str, str]) -> Iterator[str]:
    """The same of an expression that has to give a number: a text would end the run on the first user."""
    yield from _problems_as(sql, known, NUMBERS, "a number")


def normalised(sql: str) -> str:
    """The expression in one spelling: white space, case of key words and needless quotes do not count."""
    return parse(sql).sql(dialect="spark", comments=False)


def _near(error: SqlglotError) -> str:
    """Where the parser stumbled; what it says of it names its own classes."""
    places = error.errors if isinstance(error, ParseError) else []
    return "".join(f" near {place['highlight']}" for place in places[:1])


def _problems_as(sql: str, known: Mapping[str, str], kinds: Collection[str], expected: str) -> Iterator[str]:
    problems = [*problems_of(sql, known)]
    yield from problems
    if not problems and (kind := _type_of(sql, known)).partition("(")[0] not in kinds:
        yield f"gives {kind.lower()}, expected {expected}, in: {sql}"


def _type_of(sql: str, known: Mapping[str, str]) -> str:
    tree = parse(sql).copy()
    for column in tree.find_all(exp.Column):
        if not column.table and column.name in known:
            column.set("table", exp.to_identifier("_rows"))
    query = annotate_types(exp.select(tree).from_("_rows"), schema={"_rows": dict(known)}, dialect="spark")
    kind = query.selects[0].type
    return kind.sql(dialect="spark") if kind else "UNKNOWN"


def semantic_hash(value: object) -> str:
    """A hash of what a definition means: key order and white space do not count."""
    text = json.dumps(value, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _function_names(tree: exp.Expression) -> set[str]:
    names = {node.name.lower() for node in tree.find_all(exp.Anonymous)}
    for node in tree.find_all(exp.Func):
        if not isinstance(node, exp.Anonymous):
            names |= {name.lower() for name in node.sql_names()} | {node.key}
    return names


def _texts(tree: exp.Expression) -> set[str]:
    return {literal.this.strip().lower() for literal in tree.find_all(exp.Literal) if literal.is_string}


def nearest(name: str, known: Collection[str]) -> str:
    """A question that names what was probably meant; empty where nothing is like it."""
    near = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""

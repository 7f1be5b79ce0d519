"""Evaluate simple SQL expressions on one row in Python, with the result that Spark gives.

Only expressions whose meaning is the same in both are evaluated: names of columns, literals, a minus sign, comparisons,
AND, OR, NOT, IS NULL, COALESCE, IF and CASE.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlglot import exp

from lifestage.platform.config.expressions import parse
from lifestage.platform.errors import NeedsSparkError

COMPARISONS: Mapping[type[exp.Expression], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}


def evaluate(sql: str, row: Mapping[str, Any]) -> Any:
    """The value of an expression on a row; NULL is None.

    Raises:
        NeedsSparkError: the expression uses anything else.
    """
    try:
        return _value(parse(sql), row)
    except ValueError as error:
        raise NeedsSparkError(f"{sql}: {error}") from error


def _value(tree: exp.Expression, row: Mapping[str, Any]) -> Any:
    match tree:
        case exp.Column() if tree.name in row and not tree.table:
            return row[tree.name]
        case exp.Paren():
            return _value(tree.this, row)
        case exp.Literal() if tree.is_int:
            return int(tree.this)
        case exp.Null():
            return None
        case exp.Boolean():
            return bool(tree.this)
        case exp.Neg():
            value = _value(tree.this, row)
            return None if value is None else -_number(value, tree)
        case exp.And() | exp.Or():
            return _connect(tree, row)
        case exp.Not():
            value = _value(tree.this, row)
            return None if value is None else not _boolean(value, tree)
        case exp.Is() if isinstance(tree.expression, exp.Null):
            return _value(tree.this, row) is None
        case exp.Coalesce():
            values = (_value(each, row) for each in (tree.this, *tree.expressions))
            return next((value for value in values if value is not None), None)
        case exp.If():
            return _choose([tree], tree.args.get("false"), row)
        case exp.Case() if tree.this is None:
            return _choose(tree.args["ifs"], tree.args.get("default"), row)
        case _ if type(tree) in COMPARISONS:
            return _compare(tree, row)
    raise _to_error(tree)


def _connect(tree: exp.Expression, row: Mapping[str, Any]) -> bool | None:
    """AND and OR of three values."""
    values = [_value(each, row) for each in (tree.this, tree.expression)]
    known = [_boolean(value, tree) for value in values if value is not None]
    decisive = isinstance(tree, exp.Or)
    if decisive in known:
        return decisive
    return None if None in values else not decisive


def _compare(tree: exp.Expression, row: Mapping[str, Any]) -> bool | None:
    one, other = (_value(each, row) for each in (tree.this, tree.expression))
    if one is None or other is None:
        return None
    is_exact = all(isinstance(each, int | Decimal) and not isinstance(each, bool) for each in (one, other))
    if not is_exact and not all(type(each) is date for each in (one, other)):
        # Spark converts other types before it compares them.
        raise _to_error(tree)
    return COMPARISONS[type(tree)](one, other)


def _choose(branches: list[exp.If], default: exp.Expression | None, row: Mapping[str, Any]) -> Any:
    for branch in branches:
        condition = _value(branch.this, row)
        if condition is not None and _boolean(condition, branch):
            return _value(branch.args["true"], row)
    return None if default is None else _value(default, row)


def _number(value: Any, tree: exp.Expression) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _to_error(tree)
    return value


def _boolean(value: Any, tree: exp.Expression) -> bool:
    if not isinstance(value, bool):
        raise _to_error(tree)
    return value


def _to_error(tree: exp.Expression) -> NeedsSparkError:
    return NeedsSparkError(f"this expression is evaluated by Spark only: {tree.sql(dialect='spark')}")

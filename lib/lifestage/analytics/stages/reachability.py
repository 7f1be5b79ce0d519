"""Can every stage be reached? Tried on a grid of the rules' thresholds: at, beside and between them, and NULL."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count, pairwise
from typing import Any

from sqlglot import exp

from lifestage.platform.config.expressions import parse


class _Open(Exception):  # noqa: N818 - a signal, not an error
    """A value is not chosen yet, or an expression is of a kind that is not evaluated here."""


Point = dict[str, Any]
MAX_STEPS = 100_000
ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    exp.Add: lambda a, b: a + b,
    exp.Sub: lambda a, b: a - b,
    exp.Mul: lambda a, b: a * b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
}


def unreachable(ladder: Sequence[tuple[str, str]]) -> list[str]:
    """Stages that no point of the grid reaches, in the ladder's order.

    A condition with functions that are not evaluated here counts as one that may or may not hold.
    """
    trees = [(stage, parse(condition)) for stage, condition in ladder]
    grid = _grid([tree for _, tree in trees])
    return [
        stage
        for number, (stage, tree) in enumerate(trees)
        if not _reached(tree, [earlier for _, earlier in trees[:number]], grid)
    ]


def _reached(own: exp.Expression, earlier: Sequence[exp.Expression], grid: Mapping[str, list[Any]]) -> bool:
    """Whether some point makes the condition hold and none of the earlier ones: search, column by column.

    What is not decided after MAX_STEPS counts as reached: a doubt is no error.
    """
    names = _names([own, *reversed(earlier)])
    steps = count()

    def search(point: Point, remaining: Sequence[str]) -> bool:
        if next(steps) > MAX_STEPS:
            return True
        if _value(own, point, unknown=True) is not True or any(
            _value(tree, point, unknown=False) is True for tree in earlier
        ):
            return False
        if not remaining:
            return True
        return any(search({**point, remaining[0]: value}, remaining[1:]) for value in grid[remaining[0]])

    return search({}, names)


def _value(tree: exp.Expression, point: Point, unknown: bool) -> Any:
    """The condition's value; `unknown` while columns are open."""
    try:
        return _evaluate(tree, point)
    except (_Open, TypeError):  # Spark compares a text with a number as well; here that is left open
        return unknown


def _evaluate(node: exp.Expression, point: Point) -> Any:
    """Three-valued SQL logic over columns, literals, comparisons and arithmetic."""
    match node:
        case exp.Paren():
            return _evaluate(node.this, point)
        case exp.Boolean():
            return bool(node.this)
        case exp.Null():
            return None
        case exp.Literal():
            return node.this if node.is_string else float(node.this)
        case exp.Neg():
            return _strict(lambda a, _: -a, _evaluate(node.this, point), 0)
        case exp.Column():
            if node.name not in point:
                raise _Open
            return point[node.name]
        case exp.And() | exp.Or():
            return _connected(node, point)
        case exp.Not():
            value = _evaluate(node.this, point)
            return None if value is None else not value
        case exp.Is():
            return _evaluate(node.this, point) is _evaluate(node.expression, point)
        case exp.Between():
            low, high = (_evaluate(node.args[key], point) for key in ("low", "high"))
            value = _evaluate(node.this, point)
            return None if None in (value, low, high) else low <= value <= high
        case exp.In():
            value = _evaluate(node.this, point)
            return None if value is None else value in [_evaluate(item, point) for item in node.expressions]
        case _ if type(node) in ARITHMETIC:
            return _strict(
                ARITHMETIC[type(node)], _evaluate(node.this, point), _evaluate(node.expression, point)
            )
        case _:
            raise _Open


def _connected(node: exp.Expression, point: Point) -> bool | None:
    """AND and OR: one side may decide while the other is open."""
    decisive = isinstance(node, exp.Or)
    values: list[Any] = []
    is_open = False
    for side in (node.this, node.expression):
        try:
            values.append(_evaluate(side, point))
        except (_Open, TypeError):
            is_open = True
    if decisive in values:
        return decisive
    if is_open:
        raise _Open
    return None if None in values else not decisive


def _strict(apply: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    return None if left is None or right is None else apply(left, right)


def _names(trees: Sequence[exp.Expression]) -> list[str]:
    """Columns in order of appearance, each once."""
    return list(dict.fromkeys(column.name for tree in trees for column in tree.find_all(exp.Column)))


def _grid(trees: Sequence[exp.Expression]) -> dict[str, list[Any]]:
    return {name: _candidates(name, trees) for name in _names(trees)}


def _candidates(name: str, trees: Sequence[exp.Expression]) -> list[Any]:
    """Values worth trying: NULL, both truths where a condition, texts and their ends, numbers at and around thresholds."""
    texts: set[str] = set()
    numbers: set[float] = set()
    for tree in trees:
        for node in tree.find_all(*ARITHMETIC, exp.Between, exp.In):
            if any(column.name == name for column in node.find_all(exp.Column)):
                literals = list(node.find_all(exp.Literal))
                texts |= {literal.this for literal in literals if literal.is_string}
                numbers |= {_number(literal) for literal in literals if not literal.is_string}
                numbers |= (
                    {30 * number for number in numbers} if len(list(node.find_all(exp.Column))) > 1 else set()
                )
    if texts:
        return [None, "", *sorted(texts), "\uffff"]
    if not numbers:
        return [None, True, False]
    near = sorted({value + step for value in numbers for step in (-1.0, 0.0, 1.0)} | {30.0})
    return [None, *near, *[(low + high) / 2 for low, high in pairwise(near)]]


def _number(literal: exp.Literal) -> float:
    return -float(literal.this) if isinstance(literal.parent, exp.Neg) else float(literal.this)

"""Check that every stage of a ladder can be reached: SQLite searches a grid around the thresholds of the rules."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import chain, pairwise

from sqlglot import exp

from lifestage.platform.config.expressions import parse

CONNECTIVES = (exp.And, exp.Or, exp.Not, exp.Paren)
# What SQLite evaluates exactly as Spark does, NULL included.
EVALUATED = (
    *(*CONNECTIVES, exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null),
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.Between, exp.In),
    *(exp.Add, exp.Sub, exp.Mul, exp.Neg),
)
# A plausible number of days. In `silence_days > 4 * cycle_days` no threshold says where to look, so the grid also has 30
# and 4 x 30.
TYPICAL_VALUE = 30.0
# A search ends after this many instructions of SQLite, about 0.1 s. A packaged stage takes fewer than 1,000.
MAX_INSTRUCTIONS = 2_000_000

Value = str | float | bool | None


def find_unreachable(ladder: Sequence[tuple[str, str]]) -> list[str]:
    """Return the stages that no user can be in, in the ladder's order.

    A stage is unreachable if no point of a grid makes its own condition true and every earlier one false or NULL. The
    grid gives each column NULL, every threshold, one unit either side of it, and the middle between neighbors.

    Doubt is no error. A comparison that SQLite may evaluate differently from Spark (it calls a function, or mixes texts
    and numbers) may be true, false or NULL at any point, and a stage whose search takes too long counts as reachable.

    Args:
        ladder: Name and condition of each stage, in order of evaluation.
    """
    conditions = _open_uncertain([parse(condition) for _, condition in ladder])
    with closing(sqlite3.connect(":memory:")) as database:
        database.set_progress_handler(lambda: 1, MAX_INSTRUCTIONS)
        conditions = _create_grid(database, conditions)
        return [
            stage
            for number, (stage, _) in enumerate(ladder)
            if not _is_reachable(database, conditions[number], conditions[:number])
        ]


def _open_uncertain(conditions: Sequence[exp.Expr]) -> list[exp.Expr]:
    """Replace each comparison that SQLite may evaluate differently by a column that can be true, false or NULL."""
    uncertain: set[exp.Expr] = set()
    for group in _group_comparisons(conditions):
        evaluated = [each for each in group if all(isinstance(node, EVALUATED) for node in each.walk())]
        kinds = {literal.is_string for each in evaluated for literal in each.find_all(exp.Literal)}
        uncertain.update(each for each in group if each not in evaluated or len(kinds) > 1)
    return [
        condition.transform(lambda node: exp.column(node.sql()) if node in uncertain else node)
        for condition in conditions
    ]


def _group_comparisons(conditions: Sequence[exp.Expr]) -> list[list[exp.Expr]]:
    """Group the comparisons (and bare columns) that share a column, directly or by way of others."""
    groups: list[list[exp.Expr]] = []
    for condition in conditions:
        for node in condition.walk(prune=lambda node: not isinstance(node, CONNECTIVES)):
            if not isinstance(node, CONNECTIVES):
                columns = {*_columns([node])}
                related = [group for group in groups if columns.intersection(_columns(group))]
                groups = [group for group in groups if group not in related]
                groups.append([node, *chain.from_iterable(related)])
    return groups


def _create_grid(database: sqlite3.Connection, conditions: Sequence[exp.Expr]) -> list[exp.Expr]:
    """Create a table with the values of each column, and return the conditions over these tables' columns."""
    names: dict[str, str] = {}
    for group in _group_comparisons(conditions):
        for column in _columns(group):
            # Numbered, because SQLite reserves some names and does not tell upper from lower case.
            name = names[column] = f"c{len(names)}"
            database.execute(f"CREATE TABLE {name} ({name})")
            database.executemany(f"INSERT INTO {name} VALUES (?)", [(value,) for value in _values(group)])
    return [
        condition.transform(
            lambda node: exp.column(names[node.name]) if isinstance(node, exp.Column) else node
        )
        for condition in conditions
    ]


def _values(group: Sequence[exp.Expr]) -> list[Value]:
    """Return the values to try for the columns of a group: around its thresholds, or both truth values without any."""
    literals = [literal for comparison in group for literal in comparison.find_all(exp.Literal)]
    if not literals:
        return [None, True, False]
    if literals[0].is_string:
        return [None, "", *sorted({literal.this for literal in literals}), "\uffff"]
    thresholds = {
        -float(literal.this) if isinstance(literal.parent, exp.Neg) else float(literal.this)
        for literal in literals
    }
    if len(_columns(group)) > 1:
        thresholds |= {TYPICAL_VALUE * threshold for threshold in thresholds}
    near = sorted({value + step for value in thresholds for step in (-1, 0, 1)} | {TYPICAL_VALUE})
    return [None, *near, *[(low + high) / 2 for low, high in pairwise(near)]]


def _is_reachable(database: sqlite3.Connection, own: exp.Expr, earlier: Sequence[exp.Expr]) -> bool:
    """Search the grid for a point where the stage's own condition is true and no earlier one is.

    A cross join keeps the order of its tables, and SQLite tests each condition as soon as the columns it needs have
    values. So the search goes column by column, and leaves a branch where the own condition fails early.
    """
    source = " CROSS JOIN ".join(["(SELECT 1)", *_columns([own, *reversed(earlier)])])
    conditions = [own.sql("sqlite"), *[f"({each.sql('sqlite')}) IS NOT TRUE" for each in earlier]]
    query = f"SELECT 1 FROM {source} WHERE ({') AND ('.join(conditions)})"
    try:
        return database.execute(query).fetchone() is not None
    except sqlite3.OperationalError:
        # Interrupted, or more columns and terms than SQLite takes: undecided.
        return True


def _columns(trees: Sequence[exp.Expr]) -> list[str]:
    """Return the columns in order of appearance, each once."""
    return list(dict.fromkeys(column.name for tree in trees for column in tree.find_all(exp.Column)))

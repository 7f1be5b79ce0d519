"""Paths to values inside a record: `properties.user_id`, `lines[0].sku`, `lines[*].price`, `"user.id"`."""

import re
from collections.abc import Iterable, Mapping
from enum import Enum

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

# A name or a name in double quotes, and any number of indexes.
SEGMENT = re.compile(r'(?:"([^"]+)"|([^."\[\]]+))((?:\[(?:\d+|\*|#)\])*)(?:\.(?=.)|$)')


class Each(Enum):
    """What stands for the elements of a list: each makes a row of its own."""

    VALUE = "*"
    NUMBER = "#"
    """The number of the element, from 1 on, in place of the element."""


Path = tuple[str | int | Each, ...]


def parse_path(text: str) -> Path:
    """Return the steps of a path.

    Raises:
        ValueError: if the text is no path.

    Example:
        >>> parse_path('order."line items"[0].sku')
        ('order', 'line items', 0, 'sku')
    """
    steps: list[str | int | Each] = []
    place = 0
    while place < len(text) or not text:
        found = SEGMENT.match(text, place)
        if found is None:
            raise ValueError(f"{text} is no path such as items[0].sku, near: {text[place:] or text}")
        steps.append(found[1] or found[2])
        for index in re.findall(r"\[(.+?)\]", found[3]):
            steps.append(int(index) if index.isdigit() else Each(index))
        place = found.end()
    return tuple(steps)


def split_at_list(path: Path) -> tuple[Path, Path | None]:
    """Return the path of the list whose elements are rows, and the path within an element; None if there is no list.

    Raises:
        ValueError: if there is a second list within an element.
    """
    places = [n for n, step in enumerate(path) if isinstance(step, Each)]
    if not places:
        return path, None
    if len(places) > 1:
        raise ValueError("one list can become rows, not a list within a list")
    first = places[0]
    if path[first] is Each.NUMBER:
        return path[:first], (Each.NUMBER,)
    return path[:first], path[first + 1 :]


def list_path(paths: Iterable[Path]) -> Path | None:
    """Return the path of the list whose elements are rows; None if each record is a row.

    Raises:
        ValueError: if the paths name several lists.
    """
    lists = {of_list for path in paths for of_list, item in [split_at_list(path)] if item is not None}
    if len(lists) > 1:
        raise ValueError("the elements of one list can become rows, but the fields name several lists")
    return next(iter(lists), None)


def extract_values(rows: DataFrame, text: str, paths: Mapping[str, Path]) -> DataFrame:
    """Add a column of text for each path into JSON. Objects and lists stay JSON; a value that is not there is NULL.

    If the paths name a list, there is a row for each of its elements, and one row for an empty list.

    Args:
        rows: Rows with a JSON object.
        text: Column that holds it.
        paths: New column to path.
    """
    of_list = list_path(paths.values())
    columns = [*rows.columns, *paths]
    if of_list is None:
        return _add_values(rows, text, paths).select(columns)
    of_item = {name: item for name, path in paths.items() if (item := split_at_list(path)[1]) is not None}
    of_record = {name: path for name, path in paths.items() if name not in of_item}
    rows = _add_values(rows, text, {**of_record, "_list": of_list})
    items = F.posexplode_outer(F.from_json("_list", "array<string>")).alias("_number", "_item")
    rows = rows.select("*", items).drop("_list")
    numbers = {name for name, path in of_item.items() if path == (Each.NUMBER,)}
    rows = rows.withColumns({name: (F.col("_number") + 1).cast("string") for name in sorted(numbers)})
    rows = _add_values(rows, "_item", {name: path for name, path in of_item.items() if name not in numbers})
    return rows.select(columns)


def _add_values(rows: DataFrame, text: str, paths: Mapping[str, Path]) -> DataFrame:
    """Parse one level of JSON for all paths at once, and then the levels below."""
    whole = {name: F.col(f"`{text}`") for name, path in paths.items() if not path}
    deeper = {name: path for name, path in paths.items() if path}
    steps = sorted({path[0] for path in deeper.values()}, key=str)
    keys = [step for step in steps if isinstance(step, str)]
    rows = rows.withColumns(whole)
    if not steps:
        return rows
    object_, list_ = f"_object_{text}", f"_list_{text}"
    levels = {}
    if keys:
        schema = ", ".join(f"{_quote(key)} string" for key in keys)
        levels[object_] = F.from_json(F.col(f"`{text}`"), schema)
    if len(keys) < len(steps):
        levels[list_] = F.from_json(F.col(f"`{text}`"), "array<string>")
    rows = rows.withColumns(levels)
    for n, step in enumerate(steps):
        value = _step_into(F.col(_quote(object_ if isinstance(step, str) else list_)), step)
        below = f"_{n}_{text}"
        rows = rows.withColumn(below, value)
        of_step = {name: path[1:] for name, path in deeper.items() if path[0] == step}
        rows = _add_values(rows, below, of_step).drop(below)
    return rows.drop(*levels)


def select_value(path: Path) -> Column:
    """Return the column of a typed file at a path without a list of rows."""
    first, *rest = path
    value = F.col(_quote(str(first)))
    for step in rest:
        value = _step_into(value, step)
    return value


def _step_into(value: Column, step: str | int | Each) -> Column:
    assert not isinstance(step, Each), "the elements of a list are rows already"
    return value.getField(step) if isinstance(step, str) else F.get(value, step)


def find_type(schema: T.StructType, path: Path) -> str | None:
    """Return the type of the value at a path, None if there is none."""
    kind: T.DataType = schema
    for step in path:
        match kind, step:
            case T.StructType(), str() if step in kind.names:
                kind = kind[step].dataType
            case T.MapType(), str():
                kind = kind.valueType
            case T.ArrayType(), int() | Each.VALUE:
                kind = kind.elementType
            case T.ArrayType(), Each.NUMBER:
                kind = T.LongType()
            case _:
                return None
    return kind.simpleString()


def _quote(name: str) -> str:
    escaped = name.replace("`", "``")
    return f"`{escaped}`"

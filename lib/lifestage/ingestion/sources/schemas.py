"""Compare the types of a file that has a schema with the declared columns."""

import re
from collections.abc import Iterable, Iterator, Mapping

from lifestage.ingestion.sources.layout import FileLayout

# Types of objects and lists.
NESTED = ("struct<", "array<", "map<")


def find_column_problems(
    types: Mapping[str, str | None], names: Iterable[str], layout: FileLayout
) -> Iterator[str]:
    """Yield the declared columns that a file lacks, or whose values would be lost or changed as text.

    Args:
        types: Type of each declared column in the file, as Spark names it; None if the file lacks it.
        names: All columns of the file.
        layout: Declared columns.
    """
    if missing := [layout.field_of(name) for name, kind in types.items() if kind is None]:
        yield f"expected columns {', '.join(missing)}, found {', '.join(names)}"
    for name, declared in layout.columns.items():
        kind = types[name] or declared
        if kind.startswith(NESTED):
            yield f"column {name} is {kind}: nested columns cannot be read, name the value that you need under fields, such as {_example(name, kind)}"
        elif kind == "binary":
            yield f"column {name} is binary, declared {declared}: deliver it as text"
        elif (kind, declared) == ("timestamp", "local_timestamp"):
            yield f"column {name} holds instants: declare it timestamp, or its times would shift by the offset of the zone"
        elif (kind, declared) == ("timestamp_ntz", "timestamp"):
            yield f"column {name} has no time zone: declare it local_timestamp, and its zone as time_zone"


def _example(name: str, kind: str) -> str:
    """Return a path into a nested column."""
    item = "[*]" if kind.startswith("array<") else ""
    field = re.search(r"^(?:array<)?struct<([^:]+):", kind)
    return f"{name}{item}{'.' + field[1] if field else '' if item else '.key'}"

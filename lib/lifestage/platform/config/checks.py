"""Checks of names and SQL that the configurations of all domains share."""

import re
from collections.abc import Iterable, Iterator, Mapping

from lifestage.platform.config.expressions import columns_of

NAME = re.compile(r"[a-z][a-z0-9_]*")


def bad_names(names: Iterable[str]) -> Iterator[str]:
    """Yield a problem for each name that is not lower-case letters, digits and underscores.

    Names become columns, tables and folders, and some engines ignore case.
    """
    for name in names:
        if not NAME.fullmatch(name):
            yield f"{name}: expected lower-case letters, digits and _, a letter first"


def columns_if_valid(sql: str) -> set[str]:
    """Return the columns that an expression uses; none if it is not valid SQL."""
    try:
        return columns_of(sql)
    except ValueError:
        return set()


def join_names(names: Iterable[str] | Mapping[str, object]) -> str:
    """Return the sorted names as one text for a message."""
    return ", ".join(sorted(names)) or "none"


def prefix_file(file: object, problems: Iterable[str]) -> Iterator[str]:
    """Yield the problems, each prefixed with the name of its file."""
    for problem in problems:
        yield f"{file}: {problem}"

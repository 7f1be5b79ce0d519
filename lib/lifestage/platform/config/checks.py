"""Checks of names and SQL that every domain's configuration shares."""

import re
from collections.abc import Iterable, Iterator, Mapping

from lifestage.platform.config.expressions import columns_of, problems_of

NAME = re.compile(r"[a-z][a-z0-9_]*")


def misnamed(names: Iterable[str]) -> Iterator[str]:
    """Names become columns, tables and folders, some in engines that do not tell cases apart."""
    for name in names:
        if not NAME.fullmatch(name):
            yield f"{name}: expected lower-case letters, digits and _, a letter first"


def keyed(key: str, sql: str, known: Iterable[str]) -> Iterator[str]:
    """What is wrong with an expression over known columns, under the key it has in its file."""
    for problem in problems_of(sql, set(known)):
        yield f"{key}: {problem}"


def columns(sql: str) -> set[str]:
    """The columns that an expression names; none where it is no SQL."""
    try:
        return columns_of(sql)
    except ValueError:
        return set()


def listed(names: Iterable[str] | Mapping[str, object]) -> str:
    """Names in order, for a message."""
    return ", ".join(sorted(names)) or "none"


def at(file: object, problems: Iterable[str]) -> Iterator[str]:
    """The problems under the file that they are in."""
    for problem in problems:
        yield f"{file}: {problem}"

"""The parts that a page is made of, and how it prints numbers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from lifestage.tables.catalogue import Unit

NOTHING = "n/a"
WINDOW = re.compile(r"^(.+)_(\d+)d$")
Number = int | Decimal


class Look(StrEnum):
    """How a cell stands out; the words are CSS classes."""

    TEXT = "text"
    NUMBER = "number"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True)
class Cell:
    """Text of a table with a line above or below it; `heat` from 0 to 1 shades it."""

    text: str
    look: Look = Look.TEXT
    above: str = ""
    below: str = ""
    heat: float | None = None


@dataclass(frozen=True)
class Grid:
    """A table; the first cell of a row heads it. `layout` is a CSS class."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    layout: str = "list"


@dataclass(frozen=True)
class Entry:
    """One colour of a chart, by its place in the palette, and the newest number behind it."""

    color: int
    name: str
    text: str


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite spec with its heading and legend."""

    key: str
    title: str
    spec: dict[str, Any]
    legend: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Section:
    """A figure with its definition. `notes` are sentences; without a chart or grid they are all there is."""

    key: str
    title: str
    definition: str
    notes: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    grids: tuple[Grid, ...] = ()
    folded: tuple[Grid, ...] = ()


@dataclass(frozen=True)
class Tile:
    """One headline number and the lines that say what it counts."""

    label: str
    value: str
    lines: tuple[str, ...]
    look: Look = Look.NUMBER


def text(value: object) -> Cell:
    """A plain cell."""
    return Cell(str(value))


def number(n: int) -> Cell:
    """A cell with a whole number."""
    return Cell(count(n), Look.NUMBER)


def verdict(passed: bool) -> Cell:
    """A cell that says how a check ended, in words and in colour."""
    return Cell("passed", Look.GOOD) if passed else Cell("failed", Look.BAD)


def count(n: int) -> str:
    """A whole number with its thousands apart."""
    return f"{n:,}"


def share(part: Number, whole: Number, digits: int = 1) -> str:
    """A percentage that says 0 or 100 only where that is exact: 2 rejected rows of 100,000 are not 0.0 %."""
    if not whole:
        return NOTHING
    percent = Decimal(100) * part / whole
    least = Decimal(1).scaleb(-digits)
    if 0 < percent <= least / 2:
        return f"< {least} %"
    if 100 - least / 2 <= percent < 100:
        return f"> {100 - least} %"
    return f"{percent:.{digits}f} %"


def money(amount: Decimal, currency: str) -> str:
    """An amount with two decimals and its currency."""
    return f"{amount:,.2f} {currency}"


def quantity(value: Decimal | None, unit: str) -> str:
    """A mean in the unit of its feature."""
    if value is None:
        return NOTHING
    if unit in (Unit.SHARE, Unit.FLAG):
        return share(value, 1)
    return f"{value:,.2f}" if unit in (Unit.MONEY, Unit.RATIO, Unit.POINTS) else f"{value:,.1f}"


def plural(n: int, one: str) -> str:
    """A number of things."""
    return f"{count(n)} {one}" if n == 1 else f"{count(n)} {one}s"


def unplaced(users: Iterable[tuple[str, int]], said: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each status that keeps users out of a figure."""
    totals: dict[str, int] = {}
    for status, n in users:
        totals[status] = totals.get(status, 0) + n
    return tuple(f"{plural(n, 'user')} {said.get(status, status)}." for status, n in sorted(totals.items()))


def filled(grids: Sequence[Grid]) -> tuple[Grid, ...]:
    """The grids that have a row."""
    return tuple(grid for grid in grids if grid.rows)


def label_of(feature: str) -> str:
    """A column name as words: n_views_90d reads "Views, 90 days"."""
    words = WINDOW.sub(r"\1, \2 days", feature.removeprefix("n_"))
    return words.replace("_", " ").capitalize()


def heats(values: Sequence[Number | None]) -> list[float | None]:
    """Each value between the least (0) and the greatest (1); all alike are not shaded."""
    known = [float(value) for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    if high == low:
        return [None for _ in values]
    return [None if value is None else (float(value) - low) / (high - low) for value in values]

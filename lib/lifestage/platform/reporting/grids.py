"""The parts of a page: tables, charts and tiles, with their texts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from lifestage.platform.reporting.words import WITHHELD, Words

WINDOW = re.compile(r"^(.+)_(\d+)d$")
Number = int | Decimal


class Look(StrEnum):
    """How a cell stands out. The values are CSS classes."""

    TEXT = "text"
    NUMBER = "number"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True)
class Cell:
    """A cell of a table, with small lines above and below its text. `heat` from 0 to 1 shades it."""

    text: str
    look: Look = Look.TEXT
    above: str = ""
    below: str = ""
    heat: float | None = None


@dataclass(frozen=True)
class Column:
    """The heading of a column, and its definition with the unit."""

    label: str
    about: str = ""


@dataclass(frozen=True)
class Grid:
    """A table. The first cell of a row is its heading. `layout` is a CSS class. A folded table opens at a click."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    layout: str = "list"
    is_folded: bool = False
    key: str = ""
    """What a sentence of the summary names to link to the table."""

    @property
    def is_withheld(self) -> bool:
        """Whether the table withholds a number."""
        return any(cell.text == WITHHELD for row in self.rows for cell in row)


@dataclass(frozen=True)
class Entry:
    """An entry of a legend: a colour by its place in the palette, its name, and the newest number."""

    color: int
    name: str
    text: str


@dataclass(frozen=True)
class Chart:
    """A chart: its Vega-Lite spec, title, definition with the unit, and legend."""

    key: str
    title: str
    about: str
    spec: dict[str, Any]
    legend: tuple[Entry, ...] = ()

    @property
    def is_withheld(self) -> bool:
        """Whether the legend withholds a number."""
        return any(entry.text == WITHHELD for entry in self.legend)


@dataclass(frozen=True)
class Tile:
    """A headline number and the lines that say what it counts."""

    label: str
    value: str
    lines: tuple[str, ...]
    look: Look = Look.NUMBER

    @property
    def is_withheld(self) -> bool:
        """Whether the number is withheld."""
        return self.value == WITHHELD


HIDDEN = Cell(WITHHELD, Look.NUMBER)


def text(value: object) -> Cell:
    """A cell of text."""
    return Cell(str(value))


def figure(value: str, is_shown: bool = True) -> Cell:
    """A cell with a number, or with the sign of a withheld number."""
    return Cell(value, Look.NUMBER) if is_shown else HIDDEN


def columns(words: Words, *names: str, **values: object) -> tuple[Column, ...]:
    """Columns by the names of their texts."""
    return tuple(
        Column(words(f"column.{name}", **values), words(f"about.{name}", **values)) for name in names
    )


def drop_empty(*figures: Chart | Grid | None) -> tuple[Chart | Grid, ...]:
    """The figures that have rows to show."""
    return tuple(each for each in figures if each and (isinstance(each, Chart) or each.rows))


def label_feature(feature: str, words: Words) -> str:
    """The name of a feature as text: n_views_90d reads "Views, 90 days"."""
    match = WINDOW.match(feature.removeprefix("n_"))
    stem, days = (match[1], match[2]) if match else (feature.removeprefix("n_"), None)
    name = words.translate(stem.replace("_", " ").capitalize())
    return words("word.window", name=name, days=days) if days else name


def shade(values: Sequence[Number | None]) -> list[float | None]:
    """Each value scaled between the least (0) and the greatest (1). Equal values are not shaded."""
    known = [float(value) for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    if high == low:
        return [None for _ in values]
    return [None if value is None else (float(value) - low) / (high - low) for value in values]

"""The parts that a page is made of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from lifestage.activation.report.words import WITHHELD, Words

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
class Column:
    """A column's heading, and its definition with the unit."""

    label: str
    about: str = ""


@dataclass(frozen=True)
class Grid:
    """A table; the first cell of a row heads it. `layout` is a CSS class; a folded one opens at a click."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    layout: str = "list"
    is_folded: bool = False


@dataclass(frozen=True)
class Entry:
    """One colour of a chart, by its place in the palette, and the newest number behind it."""

    color: int
    name: str
    text: str


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite spec with its heading, what it shows in which unit, and a legend."""

    key: str
    title: str
    about: str
    spec: dict[str, Any]
    legend: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Section:
    """Figures of one subject in their order. `notes` are sentences; without a figure they are all there is."""

    key: str
    title: str
    about: str
    notes: tuple[str, ...] = ()
    figures: tuple[Chart | Grid, ...] = ()


@dataclass(frozen=True)
class Tile:
    """One headline number and the lines that say what it counts."""

    label: str
    value: str
    lines: tuple[str, ...]
    look: Look = Look.NUMBER


HIDDEN = Cell(WITHHELD, Look.NUMBER)


def text(value: object) -> Cell:
    """A plain cell."""
    return Cell(str(value))


def figure(value: str, is_shown: bool = True) -> Cell:
    """A cell with a number, or the sign that stands for one of too few users."""
    return Cell(value, Look.NUMBER) if is_shown else HIDDEN


def columns(words: Words, *names: str, **values: object) -> tuple[Column, ...]:
    """Columns with their headings and definitions in the language of the page."""
    return tuple(
        Column(words(f"column.{name}", **values), words(f"about.{name}", **values)) for name in names
    )


def filled(*figures: Chart | Grid | None) -> tuple[Chart | Grid, ...]:
    """The figures that have something to show."""
    return tuple(each for each in figures if each and (isinstance(each, Chart) or each.rows))


def label_of(feature: str, words: Words) -> str:
    """A column name in words: n_views_90d reads "Views, 90 days"."""
    match = WINDOW.match(feature.removeprefix("n_"))
    stem, days = (match[1], match[2]) if match else (feature.removeprefix("n_"), None)
    name = words.of(stem.replace("_", " ").capitalize())
    return words("word.window", name=name, days=days) if days else name


def heats(values: Sequence[Number | None]) -> list[float | None]:
    """Each value between the least (0) and the greatest (1); all alike are not shaded."""
    known = [float(value) for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    if high == low:
        return [None for _ in values]
    return [None if value is None else (float(value) - low) / (high - low) for value in values]

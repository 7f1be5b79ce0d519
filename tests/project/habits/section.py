"""The section of the report on habits."""

from collections.abc import Iterator, Mapping

from pyspark.sql import functions as F

from lifestage.platform.reporting.disclosure import Cell, Disclosure, Equation
from lifestage.platform.reporting.grids import Grid, columns, figure, text
from lifestage.platform.reporting.section import Chapter, Section, Source
from lifestage.platform.reporting.words import Words

Counts = Mapping[str, int]


def read(source: Source) -> Counts:
    """Users by habit; at most two."""
    rows = source.read("user_habits").where(F.col("as_of") == F.lit(source.as_of)).groupBy("habit").count()
    return {row["habit"]: row["count"] for row in rows.collect()}


def cells(counts: Counts) -> dict[Cell, int]:
    """Users of each habit."""
    return {("habit", habit): n for habit, n in counts.items()}


def equations(counts: Counts) -> Iterator[Equation]:
    """The habits add up to all users."""
    yield dict.fromkeys(cells(counts), 1)


def render(counts: Counts, seen: Disclosure, words: Words) -> Iterator[Chapter]:
    """Users by habit."""
    rows = tuple(
        (text(habit), figure(words.count(n), ("habit", habit) in seen)) for habit, n in counts.items()
    )
    grid = Grid(words("habits.grid"), columns(words, "habit", "users"), rows)
    yield Chapter("habits", words("habits.title"), words("habits.about"), (), (grid,))


SECTION = Section(
    key="habits",
    place=60,
    reads=("user_habits",),
    texts="analytics/habits/texts",
    read=read,
    render=render,
    cells=cells,
    equations=equations,
)

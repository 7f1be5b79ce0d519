"""The section of the report on habits."""

from collections.abc import Iterator, Mapping

from pyspark.sql import functions as F

from lifestage.platform.reporting.disclosure import Cell, Disclosure
from lifestage.platform.reporting.grids import Grid, columns, figure, text
from lifestage.platform.reporting.section import Chapter, Section, Source
from lifestage.platform.reporting.words import Words

HABIT = "habit"
Counts = Mapping[str, int]


def read(source: Source) -> Counts:
    """Users by habit."""
    rows = source.read("user_habits").where(F.col("as_of") == F.lit(source.as_of))
    return {row["habit"]: row["count"] for row in rows.groupBy("habit").count().collect()}


def cells(data: Counts) -> Mapping[Cell, int]:
    """The users of each habit."""
    return {(HABIT, habit): n for habit, n in data.items()}


def render(data: Counts, seen: Disclosure, words: Words) -> Iterator[Chapter]:
    """One table."""
    rows = tuple(
        (text(habit), figure(words.count(n), (HABIT, habit) in seen)) for habit, n in sorted(data.items())
    )
    grid = Grid(words("habits.grid"), columns(words, "habit", "users"), rows)
    yield Chapter("habits", words("habits.title"), words("habits.about"), figures=(grid,))


SECTION = Section(
    key="habits",
    place=45,
    reads=("user_habits",),
    texts="analytics/habits/texts",
    read=read,
    render=render,
    cells=cells,
)

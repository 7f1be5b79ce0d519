"""Parts of a page in Markdown."""

from collections.abc import Iterable, Sequence

from lifestage.platform.storage.contracts import Column

WRITTEN = "<!-- Written by scripts/docs from {source}: change it there. -->"
REQUIRED = "**required**"


def grid(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """Text of one cell: a bar would end it, also inside code."""
    return text.replace("|", r"\|").replace("\n", " ")


def code(text: str) -> str:
    """Text as code."""
    return f"`{text}`"


def columns_grid(columns: Iterable[Column]) -> str:
    """The columns of a table, each with type and comment."""
    rows = (
        (code(c.name), code(c.type.simpleString()), "not null" if c.required else "", c.comment)
        for c in columns
    )
    return grid(("column", "type", "", "comment"), rows)

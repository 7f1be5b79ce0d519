"""Keep figures as JSON, and print them."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmark.sizes import OUT
from benchmark.tables import Grid
from benchmark.usage import describe_machine

FIGURES = "figures.json"
console = Console(highlight=False)


def say(text: str) -> None:
    """Print a line while a measurement runs."""
    console.print(text, soft_wrap=True)


def keep_figures(folder: Path, **parts: Any) -> dict[str, Any]:
    """Add parts to the figures of a folder, and return all of them."""
    path = folder / FIGURES
    known = json.loads(path.read_text()) if path.exists() else {}
    figures = {**known, "machine": describe_machine(), **parts}
    path.write_text(json.dumps(figures, indent=1) + "\n")
    return figures


def read_figures() -> list[dict[str, Any]]:
    """The figures of all sizes that were measured."""
    return [json.loads(path.read_text()) for path in sorted(OUT.glob(f"*/{FIGURES}"))]


def show(grid: Grid) -> None:
    """Print a table."""
    table = Table(*grid.header, box=None, title=grid.title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in grid.rows:
        table.add_row(*row)
    console.print(table)

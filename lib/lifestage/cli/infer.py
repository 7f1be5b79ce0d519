"""infer: propose a source for a file."""

from pathlib import Path
from typing import Annotated

import typer

from lifestage.cli.terminal import refuse
from lifestage.project.loader import read_shared
from lifestage.project.location import find_main_file
from lifestage.services.infer import infer as propose


def infer(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A CSV, JSON, Parquet, Avro or Excel file; CSV and JSON packed or not."
        ),
    ],
) -> None:
    """Print a source that reads a file: its layout, types, key, time, amount and identifiers, for you to check.

    The zone of times without an offset is that of the project in this folder, or UTC.

    Example: lifestage infer landing/orders_2026-01.csv > sources/orders.yaml
    """
    if not file.is_file():
        refuse(f"{file}: file not found")
    main = find_main_file()
    # Read the main file only: with `lifestage infer FILE > sources/till.yaml`, the shell has already created till.yaml, which
    # is empty and so not a valid source.
    project = read_shared(main) if main.is_file() else None
    text = propose(file, project.business.time_zone, project.landing) if project else propose(file, "UTC")
    # Not through the console, which would fit lines to the terminal.
    typer.echo(text, nl=False)

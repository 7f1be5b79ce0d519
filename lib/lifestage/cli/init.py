"""init: start a project."""

from pathlib import Path
from typing import Annotated

import typer

from lifestage.cli.terminal import console, refuse
from lifestage.services.starter import SAMPLE_ENDS_ON, create


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or does not exist.")],
    empty: Annotated[
        bool, typer.Option("--empty", help="Without sample sources and data: for your own from the start.")
    ] = False,
) -> None:
    """Write a small project that runs, with sample data and new keys, as a start for your own.

    Example: lifestage init shop
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        refuse(f"{folder} is not an empty folder: give another DIR")
    create(folder, empty)
    what = (
        "an empty project. Describe your files in sources/. Next"
        if empty
        else "a project with a year of sample data. Next"
    )
    console.print(f"{folder}: {what}:\n", soft_wrap=True)
    for command in next_commands(folder, empty):
        console.print(f"  {command}", soft_wrap=True)


def next_commands(folder: Path, is_empty: bool = False) -> list[str]:
    """What to type after `init`. In the folder, commands find the main file and the keys."""
    commands = [
        f"cd {folder}",
        "lifestage validate",
    ]
    if is_empty:
        return [*commands, "lifestage run"]
    return [
        *commands,
        f"lifestage run --as-of {SAMPLE_ENDS_ON}",
        "lifestage snapshot show latest",
        "lifestage quarantine list --show",
    ]

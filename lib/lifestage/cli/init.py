"""init: start a project."""

from pathlib import Path
from typing import Annotated

import typer

from lifestage.cli.terminal import console, refuse
from lifestage.platform.errors import suggest_name
from lifestage.services.starter import SAMPLE_ENDS_ON, create, list_systems


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or does not exist.")],
    empty: Annotated[
        bool, typer.Option("--empty", help="Without sample sources and data: for your own from the start.")
    ] = False,
    systems: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            help=f"Without sample data, but with a source for the exports of a system, repeatable: {', '.join(list_systems())}.",
        ),
    ] = None,
) -> None:
    """Write a small project that runs, with sample data and new keys, as a start for your own.

    Example: lifestage init shop --from shopify --from ga4
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        refuse(f"{folder} is not an empty folder: give another DIR")
    for system in systems or ():
        if system not in list_systems():
            refuse(f"--from: unknown system {system}: {suggest_name(system, list_systems())}")
    is_empty = empty or bool(systems)
    create(folder, is_empty, systems or ())
    what = (
        f"a project that reads exports of {' and '.join(systems)}. Put them where sources/ and reference/ say. Next"
        if systems
        else "an empty project. Describe your files in sources/. Next"
        if empty
        else "a project with a year of sample data. Next"
    )
    console.print(f"{folder}: {what}:\n", soft_wrap=True)
    for command in next_commands(folder, is_empty):
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

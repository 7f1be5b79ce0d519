"""simulate: write the files of a simulated retailer."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from lifestage.cli.terminal import console, refuse, show_status
from lifestage.platform.plurals import count_of


def simulate(
    out: Annotated[Path, typer.Option(help="Folder to create.")],
    users: Annotated[int, typer.Option(help="Number of people, at least 100.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation; each seed gives other data.")] = 1,
    days: Annotated[int, typer.Option(help="Number of days, from 1 January 2026 on.")] = 180,
    events_per_user: Annotated[
        float, typer.Option(help="Mean number of clicks and receipt lines per person.")
    ] = 60.0,
    without: Annotated[
        list[str] | None, typer.Option(help="A planted case to leave out; repeat it for several.")
    ] = None,
) -> None:
    """Write the files that the systems of a simulated retailer would deliver, and the truth about its people.

    Example: lifestage simulate --users 20000 --seed 7 --out out/world
    """
    # The simulator takes long to import: no other command needs it.
    from lifestage.simulate.simulation import simulate as write_world
    from lifestage.simulate.world import date_of, make_world

    try:
        world = make_world(users, seed, days, events_per_user, without or [])
    except ValueError as error:
        refuse(str(error))
    started = time.monotonic()
    with show_status("simulating") as status:
        try:
            n_rows = write_world(
                world, out, lambda day: status.update(Text(f"simulating {date_of(day)}", "dim"))
            )
        except FileExistsError:
            refuse(f"--out: {out} exists: give another folder")
    seconds = time.monotonic() - started
    console.print(
        f"{out}: {count_of(n_rows, 'row')} in {seconds:.0f} s; the truth is in {out / 'truth'}",
        soft_wrap=True,
    )

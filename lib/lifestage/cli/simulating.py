"""simulate: a made-up world."""

import time
from pathlib import Path
from typing import Annotated

import typer

from lifestage.cli.terminal import at_work, console, refuse
from lifestage.simulate.simulation import simulate as simulated
from lifestage.simulate.world import date_of, make_world


def simulate(
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    users: Annotated[int, typer.Option(help="How many people, at least 100.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Another number, another world.")] = 1,
    days: Annotated[int, typer.Option(help="Days from 1 January 2026 on.")] = 180,
    events_per_user: Annotated[
        float, typer.Option(help="Mean clicks and receipt lines a person over all days.")
    ] = 60.0,
    without: Annotated[
        list[str] | None, typer.Option(help="A planted case to leave out; may be repeated.")
    ] = None,
) -> None:
    """Make up a retailer's world: the files its systems would drop, and the truth beside them. Nobody in it exists.

    Example: lifestage simulate --users 20000 --seed 7 --out out/world
    """
    try:
        world = make_world(users, seed, days, events_per_user, without or [])
    except ValueError as error:
        refuse(str(error))
    started = time.monotonic()
    with at_work("making a world") as status:
        try:
            n_rows = simulated(world, out, lambda day: status.update(f"making {date_of(day)}"))
        except FileExistsError:
            refuse(f"{out} exists: give another DIR")
    seconds = time.monotonic() - started
    console.print(
        f"{out}: {n_rows:,} rows in {seconds:.0f} s; the truth is in {out / 'truth'}",
        markup=False,
        soft_wrap=True,
    )

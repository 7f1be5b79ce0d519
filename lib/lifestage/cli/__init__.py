"""The command line: what to run is decided here, the clock is read here, and nowhere else."""

from typing import Annotated

import typer

from lifestage import __version__
from lifestage.cli import (
    doctor,
    explaining,
    matching,
    quarantine,
    reporting,
    running,
    simulating,
    snapshots,
    starting,
)
from lifestage.cli.running import run_job
from lifestage.cli.terminal import guarded

__all__ = ["app", "main", "run_job"]


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"lifestage {__version__}")
        raise typer.Exit


app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="User lifecycle of a retailer or an app: ingest, stages, value, segments, snapshots, reports.",
)


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_say_version),
    ] = False,
) -> None:
    """Options of the whole command line."""


app.command()(starting.init)
app.command()(running.validate)
app.command()(running.run)
app.command()(running.backfill)
app.command()(running.tables)
app.command()(matching.match)
app.command()(explaining.explain)
app.command()(explaining.identity)
app.command()(reporting.report)
app.add_typer(snapshots.app, name="snapshot")
app.add_typer(quarantine.app, name="quarantine")
app.command()(doctor.doctor)
app.command()(simulating.simulate)


def main() -> None:
    """The console script."""
    guarded(app)

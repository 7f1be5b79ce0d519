"""The command line: each command parses its options, calls a service, and prints the result.

Commands read the clock and pass it down; nothing below them reads it.
"""

import sys
from typing import Annotated

import typer

from lifestage import __version__
from lifestage.cli import (
    backfill,
    doctor,
    explain,
    identity,
    infer,
    init,
    match,
    quarantine,
    report,
    run,
    simulate,
    snapshot,
    tables,
    validate,
)
from lifestage.cli.job import run_job
from lifestage.cli.terminal import guard

__all__ = ["app", "main", "run_job"]


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"lifestage {__version__}")
        raise typer.Exit


app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Manage the lifecycle of users: from raw events to stages, value, segments, snapshots and a report.",
)


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Define the options of `lifestage` itself."""


app.command()(init.init)
app.command()(infer.infer)
app.command()(validate.validate)
app.command()(run.run)
app.command()(backfill.backfill)
app.command()(tables.tables)
app.command()(match.match)
app.command()(explain.explain)
app.command()(identity.identity)
app.command()(report.report)
app.add_typer(snapshot.app, name="snapshot")
app.add_typer(quarantine.app, name="quarantine")
app.command()(doctor.doctor)
app.command()(simulate.simulate)


def main() -> None:
    """Run the command line. The console script calls it."""
    if "--json" in sys.argv[1:]:
        guard(lambda: app(standalone_mode=False), as_json=True)
    else:
        guard(app)

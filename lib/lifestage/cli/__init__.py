"""The command line: what to run is decided here, the clock is read here, and nowhere else."""

import typer

from lifestage.cli import doctor, quarantine, running, snapshots, starting
from lifestage.cli.running import run_job
from lifestage.cli.terminal import guarded

__all__ = ["app", "main", "run_job"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="User lifecycle of a retailer or an app: ingest, stages, value, segments, snapshots, reports.",
)
app.command()(starting.init)
app.command()(running.validate)
app.command()(running.run)
app.command()(running.backfill)
app.command()(running.tables)
app.add_typer(snapshots.app, name="snapshot")
app.add_typer(quarantine.app, name="quarantine")
app.command()(doctor.doctor)


def main() -> None:
    """The console script."""
    guarded(app)

"""One step as a job of its own, for schedulers: each jobs/STEP.py calls run_job."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from lifestage.cli.run import show_run
from lifestage.cli.terminal import DEFAULT_CONF, AsOf, Conf, Now, guard, open_conf, parse_date, parse_now
from lifestage.project.pipeline import STEPS
from lifestage.services.run import make_request, yesterday


def run_job(step: str, arguments: Sequence[str] | None = None) -> None:
    """Run one step as part of the run that `--run-id` names."""
    job = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @job.command(help=f"{step}: {STEPS[step].does}")
    def main(
        run_id: Annotated[str, typer.Option("--run-id", help="Name of the run that this step belongs to.")],
        as_of: AsOf = None,
        conf: Conf = DEFAULT_CONF,
        now: Now = None,
    ) -> None:
        moment = parse_now(now)
        wanted = parse_date("--as-of", as_of) if as_of else None
        project = open_conf(conf)
        dates = (wanted or yesterday(project, moment),)
        show_run(project, replace(make_request(dates, moment, (step,), run_id), is_job=True))

    guard(lambda: job(arguments, standalone_mode=True))

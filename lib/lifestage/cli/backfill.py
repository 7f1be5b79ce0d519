"""backfill: rebuild past dates."""

from datetime import date
from typing import Annotated

import typer

from lifestage.cli.run import show_run
from lifestage.cli.terminal import (
    DEFAULT_CONF,
    AsJson,
    Conf,
    Now,
    RunId,
    console,
    errors,
    open_conf,
    parse_date,
    parse_now,
    print_json,
    refuse,
)
from lifestage.platform.as_of_dates import Interval, dates_between
from lifestage.services.backfill import find_stale_dates, make_backfill_request


def backfill(
    conf: Conf = DEFAULT_CONF,
    first: Annotated[str | None, typer.Option("--from", help="First date, such as 2026-01-31.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last date, such as 2026-10-31.")] = None,
    every: Annotated[
        Interval,
        typer.Option(
            help="Which dates of the range: month for month-ends, week for Sundays, day for every day."
        ),
    ] = Interval.MONTH,
    stale: Annotated[
        bool,
        typer.Option(
            "--stale",
            help="Rebuild every kept date that later deliveries reach, or all of them after a changed definition.",
        ),
    ] = False,
    now: Now = None,
    run_id: RunId = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild past dates in one pass, and publish the newest of them.

    Example: lifestage backfill --from 2026-01-31 --to 2026-10-31 --every month
    """
    moment = parse_now(now)
    if stale and (first or last):
        refuse("backfill: --stale finds the dates itself: leave out --from and --to")
    given = () if stale else tuple(_list_dates(first, last, every))
    if not stale and not given:
        day = "month-end" if every is Interval.MONTH else "Sunday"
        _print_nothing_to_do(f"no {day} between {first} and {last}", as_json)
        return
    project = open_conf(conf)
    dates = find_stale_dates(project) if stale else given
    if not dates:
        _print_nothing_to_do("no date is stale", as_json)
        return
    show_run(project, make_backfill_request(dates, moment, run_id), as_json)


def _list_dates(first: str | None, last: str | None, every: Interval) -> list[date]:
    if first is None or last is None:
        refuse("backfill: give --from and --to, or --stale")
    begin, end = parse_date("--from", first), parse_date("--to", last)
    if begin > end:
        refuse(f"backfill: --from {begin} is after --to {end}")
    return dates_between(begin, end, every)


def _print_nothing_to_do(why: str, as_json: bool) -> None:
    if as_json:
        print_json(None)
    (errors if as_json else console).print(why)

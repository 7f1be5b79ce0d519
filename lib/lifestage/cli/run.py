"""run: ingest new files and build a date."""

import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated

import typer
from rich.text import Text

from lifestage.cli.terminal import (
    DEFAULT_CONF,
    AsJson,
    AsOf,
    Conf,
    Now,
    RunId,
    check_exists,
    console,
    errors,
    open_conf,
    parse_date,
    parse_now,
    print_json,
    start_spark,
)
from lifestage.ingestion.sources.stored_forms import StoredForm
from lifestage.platform.plurals import count_of
from lifestage.project.opening import Project, ReadableProject, Request, open_for_reading
from lifestage.project.pipeline import STEPS, groups
from lifestage.project.runner import check_step_names
from lifestage.services.nothing_new import find_finished_run
from lifestage.services.run import OUTCOMES, FinishedStep, Outcome, check_dates, make_request, yesterday
from lifestage.services.run import run as run_steps
from lifestage.users.identity.advice import Suspicions, list_counts

MAX_SUSPICIONS = 3
# Outcomes that are printed even if no row has them.
ALWAYS_PRINTED = ("accepted", "duplicate", "rejected")


def run(
    conf: Conf = DEFAULT_CONF,
    as_of: AsOf = None,
    now: Now = None,
    steps: Annotated[
        str | None,
        typer.Option(help=f"Run only these steps, separated by commas. The steps are {', '.join(STEPS)}."),
    ] = None,
    run_id: RunId = None,
    as_json: AsJson = False,
) -> None:
    """Ingest new files, build one date, publish its snapshot and write the report. Does nothing if nothing has changed.

    Example: lifestage run --conf conf/prod.yaml --as-of 2026-11-21
    """
    chosen = check_step_names(steps.split(",")) if steps else tuple(STEPS)
    moment = parse_now(now)
    wanted = parse_date("--as-of", as_of) if as_of else None

    def make(project: ReadableProject) -> Request:
        return make_request((wanted or yesterday(project, moment),), moment, chosen, run_id)

    check_exists(conf)
    readable = open_for_reading(conf, needs_keys=True, is_checked=True)
    # A run with --run-id always takes place.
    if readable and run_id is None and _is_finished(readable, make(readable), as_json):
        return
    project = start_spark(readable) if readable else open_conf(conf)
    show_run(project, make(project), as_json)


def _is_finished(project: ReadableProject, request: Request, as_json: bool) -> bool:
    """Whether there is nothing to do. If so, print the outcome."""
    check_dates(project, request)
    outcome = find_finished_run(project, request)
    if outcome is None:
        return False
    if as_json:
        print_json(outcome)
        return True
    console.print(
        f"nothing new: run {outcome.run_id} has built {request.as_of_dates[-1]}, and no file or setting has changed since",
        soft_wrap=True,
    )
    for stale in outcome.stale_sources:
        console.print(f"stale     {stale.text}", soft_wrap=True)
    return True


def show_run(project: Project, request: Request, as_json: bool = False) -> None:
    """Run, print each finished step, and then print the outcome. With `as_json`, standard output has only the outcome."""
    check_dates(project, request)
    started = time.monotonic()
    screen = errors if as_json else console
    n_steps = f"{len(request.steps)} of {len(STEPS)} steps"
    screen.print(f"run {request.run_id}: as of {_format_dates(request.as_of_dates)}, {n_steps}")
    with screen.status(_describe_running_steps(request)) as status:

        def show_step(done: FinishedStep) -> None:
            written = (
                f" {done.rows:>13,} {'row' if done.rows == 1 else 'rows'}" if STEPS[done.step].writes else ""
            )
            screen.print(f"  {done.step:<9} {done.seconds:7.1f} s{written}")
            status.update(_describe_running_steps(request))

        try:
            outcome = run_steps(project, request, show_step)
        except KeyboardInterrupt:
            screen.print("interrupted: run the same command again to complete the run")
            raise
    screen.print(f"done in {time.monotonic() - started:.1f} s")
    if as_json:
        print_json(outcome)
        return
    for line in outcome_lines(outcome, project.config.shared.landing):
        console.print(line, soft_wrap=True)


def outcome_lines(outcome: Outcome, landing: str) -> Iterator[str]:
    """The outcome of a run, and where to look at it."""
    if outcome.deliveries:
        yield from _delivery_lines(outcome.deliveries, landing)
    yield from _personal_data_lines(outcome.personal_data or ())
    for stale in outcome.stale_sources:
        yield f"stale     {stale.text}"
    if outcome.suspicions and outcome.suspicions.n:
        yield from _suspicion_lines(outcome.suspicions)
    if outcome.cost:
        each = outcome.cost
        n = count_of(each.n_touched_subjects, "subject")
        yield f"cost      {n} touched: {each.milliseconds:,} ms and {each.bytes_written:,.0f} bytes written for each"
    if outcome.snapshot_id:
        yield f"snapshot  {outcome.snapshot_id}"
    if outcome.report:
        yield f"report    {outcome.report}"
    elif "report" in [step.step for step in outcome.steps]:
        command = f"lifestage report --as-of {outcome.as_of_dates[-1]} --out FILE"
        yield f"report    not written, because it shows a later date; for this date: {command}"


def _delivery_lines(counts: dict[str, int], landing: str) -> Iterator[str]:
    known = f", {counts['n_known_files']:,} with known content" if counts["n_known_files"] else ""
    where = "" if counts["n_files"] or known else f" in {landing}"
    yield f"files     {counts['n_files']:,} new{known}{where}"
    printed = [name for name in OUTCOMES if counts[f"n_{name}"] or name in ALWAYS_PRINTED]
    rows = ", ".join(f"{counts[f'n_{name}']:,} {name}" for name in printed)
    yield f"rows      {counts['n_rows']:,} in: {rows}"
    if 2 * counts["n_duplicate"] > counts["n_rows"]:
        yield "          most keys were known: a file was delivered again, or `key` names too few columns"
    if counts["n_reference_rejected"]:
        rejected = f"{count_of(counts['n_reference_rejected'], 'row')} of reference tables rejected"
        yield f"          {rejected}: their keys keep their earlier values"
    if counts["n_rejected"] or counts["n_reference_rejected"]:
        yield "          to see which rows were rejected, and why: lifestage quarantine list"


def _personal_data_lines(found: Sequence[StoredForm]) -> Iterator[str]:
    for each in found:
        yield f"warning   {each}"
    if not all(each.is_masked for each in found):
        yield "          docs/how-to/add-a-source.md says how to keep them out of the tables"


def _suspicion_lines(found: Suspicions) -> Iterator[str]:
    yield f"identity  {found.n:,} look unusual: {list_counts(found.counts)}"
    for each in found.listed[:MAX_SUSPICIONS]:
        yield f"          {each.finding}"
        yield f"          -> {each.advice}"
    if found.n > MAX_SUSPICIONS:
        yield "          lifestage doctor shows more"


def _describe_running_steps(request: Request) -> Text:
    """The steps that run now."""
    for group in groups():
        names = [step.name for step in group if step.name in request.steps]
        if remaining := [name for name in names if name not in request.seconds]:
            return Text(", ".join(remaining), "bold")
    return Text("finishing", "bold")


def _format_dates(dates: Sequence[date]) -> str:
    return f"{dates[0]}" if len(dates) == 1 else f"{dates[0]} to {dates[-1]} ({len(dates)} dates)"

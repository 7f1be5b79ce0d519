"""doctor: check the storage root."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from lifestage.cli.terminal import (
    DEFAULT_CONF,
    AsJson,
    Conf,
    answer,
    console,
    grid,
    open_conf,
    print_json,
    show_status,
)
from lifestage.platform.errors import ExitCode
from lifestage.platform.findings import Finding, Level
from lifestage.services.doctor import examine_domains, examine_root, is_in_use

STYLES = {Level.OK: "green", Level.NOTE: "yellow", Level.PROBLEM: "red"}
FINDING = "finding, and what to do next"


def doctor(
    conf: Conf = DEFAULT_CONF,
    fast: Annotated[bool, typer.Option("--fast", help="Skip checks that read every event.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check the storage root, and say what to do about each problem. Exits with code 1 if there is a problem.

    Example: lifestage doctor --conf conf/prod.yaml
    """
    now = datetime.now(UTC)
    findings, is_done = answer(
        conf, lambda project: (list(examine_root(project, now)), not is_in_use(project))
    )
    if not as_json:
        # The first answer needs no Spark, so show it before Spark starts.
        _print(findings)
    if not is_done:
        project = open_conf(conf, needs_keys=False)
        with show_status("checking"):
            others = list(examine_domains(project, fast))
        findings += others
        if not as_json:
            _print(others)
    if as_json:
        print_json(findings)
    if any(finding.level is Level.PROBLEM for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def _print(findings: Iterable[Finding]) -> None:
    rows = grid("", "subject", FINDING, wraps=[FINDING])
    for finding in findings:
        style = STYLES[finding.level]
        rows.add_row(Text(finding.level, style), finding.subject, finding.detail)
        if finding.level is not Level.OK:
            rows.add_row("", "", f"-> {finding.next_step}")
    console.print(rows)

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
    console,
    grid,
    open_conf,
    print_json,
    show_status,
)
from lifestage.platform.errors import ExitCode
from lifestage.platform.findings import Finding, Level
from lifestage.services.doctor import examine

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
    project = open_conf(conf, needs_keys=False)
    with show_status("checking"):
        findings = list(examine(project, datetime.now(UTC), fast))
    if as_json:
        print_json(findings)
    else:
        _print(findings)
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

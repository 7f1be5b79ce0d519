"""Options and output that commands about one user share."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from lifestage.cli.terminal import check_exists, console, grid, open_conf
from lifestage.platform.explain import Line
from lifestage.project.loader import read_shared
from lifestage.project.opening import Project
from lifestage.project.secrets import read_secret

FROM_INPUT = "-"
TITLE_WIDTH = 12

User = Annotated[
    str,
    typer.Argument(help="A user_id, a pseudonym or a raw identifier; - reads it from standard input."),
]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Date to look at; the newest one by default.")]


def open_for_user(conf: Path) -> Project:
    """Open the project, with keys if they are set. Without keys, a user can be found by user_id and pseudonym only."""
    return open_conf(conf, needs_keys=has_keys(conf), is_brief=True)


def has_keys(conf: Path) -> bool:
    """Whether the environment has the keys of the project."""
    check_exists(conf)
    names = read_shared(conf).secrets
    return all(read_secret(each) for each in (names.pseudonym_key, names.quarantine_key))


def read_name(user: str) -> str:
    """The name of the user, from standard input for `-`."""
    return sys.stdin.readline().strip() if user == FROM_INPUT else user


def print_lines(lines: Iterable[Line]) -> None:
    """Print titles, each with its text in a second column."""
    rows = grid("", "", wraps=[""])
    rows.show_header = False
    rows.columns[0].min_width = TITLE_WIDTH
    for title, text in lines:
        rows.add_row(title, text)
    console.print(rows)

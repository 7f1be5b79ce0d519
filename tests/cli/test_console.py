"""What is printed is what was given: to a program in whole lines, to a person without surprises."""

import io

import pytest

from lifestage.cli import doctor
from lifestage.cli.terminal import build_console, grid
from lifestage.platform.findings import Finding, Level

LONG = "a source of events with a long name and " * 10


@pytest.fixture
def printed():
    """Print to a file, and give back what it holds."""

    def print_to_file(what):
        built = build_console()
        built.file = io.StringIO()
        built.print(what)
        return built.file.getvalue()

    return print_to_file


def test_a_key_is_no_emoji_and_brackets_are_no_style(printed):
    assert printed("missing :key: in [red]till[/red]") == "missing :key: in [red]till[/red]\n"


def test_a_table_prints_its_cells_as_they_are(printed):
    rows = grid("reason")
    rows.add_row("missing:key: [b]x[/b]")
    assert printed(rows).splitlines()[1].rstrip() == "missing:key: [b]x[/b]"


def test_lines_for_a_program_are_never_wrapped(printed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    rows = grid("source", "reason", wraps=["reason"])
    rows.add_row("till", LONG)
    assert [len(printed(what).splitlines()) for what in (LONG, rows)] == [1, 2]


def test_the_level_of_a_finding_is_a_word(printed, monkeypatch):
    shown = []
    monkeypatch.setattr(doctor.console, "print", lambda rows: shown.append(printed(rows)))
    doctor._print([Finding(Level.NOTE, "keys", "missing:key: [b]", "look")])
    assert [line.split() for line in shown[0].splitlines()[1:]] == [
        ["note", "keys", "missing:key:", "[b]"],
        ["->", "look"],
    ]

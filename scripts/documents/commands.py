"""docs/cli.md: every command with its arguments and options."""

from collections.abc import Iterator
from typing import Any

import typer

from documents.markdown import REQUIRED, WRITTEN, code, grid
from lifestage.cli import app


def commands_page() -> str:
    """Every command: what it does, an example, and its arguments and options."""
    root = typer.main.get_command(app)
    parts = [
        WRITTEN.format(source="the commands in lib/lifestage/cli/"),
        "# Command line",
        f"{root.help} `lifestage COMMAND --help` shows the same text in the terminal. [Operate](how-to/operate.md#every-day) "
        "explains the exit codes.",
        *_command("lifestage", root),
    ]
    return "\n\n".join(parts) + "\n"


def _command(path: str, command: Any) -> Iterator[str]:
    if hasattr(command, "commands"):
        for name, each in command.commands.items():
            yield from _command(f"{path} {name}", each)
        return
    does, _, example = (command.help or "").partition("Example: ")
    yield f"## {path}"
    yield does.strip()
    yield f"    {example.strip()}"
    yield grid(("argument or option", "default", "meaning"), map(_parameter, command.params))


def _parameter(parameter: Any) -> tuple[str, str, str]:
    name = parameter.metavar or parameter.opts[0]
    meaning = f"{parameter.help} {_variable(parameter)}".strip()
    return code(name), REQUIRED if parameter.required else _default(parameter.default), meaning


def _default(value: object) -> str:
    """The default as code; empty for None and for flags, whose meaning states the default."""
    return "" if value in (None, False) else code(str(value))


def _variable(parameter: Any) -> str:
    return f"The environment variable {code(parameter.envvar)} sets it too." if parameter.envvar else ""

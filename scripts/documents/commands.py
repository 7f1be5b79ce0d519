"""docs/cli.md: every command with its arguments and options."""

from collections.abc import Iterator
from typing import Any

import typer

from documents.markdown import REQUIRED, WRITTEN, code, grid
from lifestage.cli import app


def commands_page() -> str:
    """Every command: what it does, how it is called, an example."""
    root = typer.main.get_command(app)
    parts = [
        WRITTEN.format(source="the commands in lib/lifestage/cli/"),
        "# Command line",
        f"{root.help} `lifestage COMMAND --help` says the same in the terminal, and "
        "[operate](how-to/operate.md) what exit codes mean.",
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
    """None and a flag that is not given are told by the meaning."""
    return "" if value in (None, False) else code(str(value))


def _variable(parameter: Any) -> str:
    return f"The environment variable {code(parameter.envvar)} sets it too." if parameter.envvar else ""

"""Find the line of a key in a YAML file, so that editors and terminals can jump to it."""

import re
from pathlib import Path

import yaml


def add_line(problem: str) -> str:
    """Add the line to a problem `file: key: message` if the file has the key: `file:line: key: message`.

    The line of a missing key is that of its section.
    """
    file, _, rest = problem.partition(": ")
    key, _, message = rest.partition(": ")
    line = find_line(Path(file), key) if message else None
    return f"{file}:{line}: {rest}" if line else problem


def find_line(path: Path, key: str) -> int | None:
    """Return the line, from 1, of a key such as `map.amount`, `ladder.2 (growth)` or `features[0].expression`.

    If the file has only the first parts of the key, the line of the last of them. None if it has none, or cannot be read.
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None
    line = None
    for part in re.split(r"[.\[\]]+", key.partition(" (")[0]):
        found = _find_child(node, part)
        if found is None:
            break
        line, node = found
    return line


def _find_child(node: yaml.Node | None, part: str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == part:
                return name.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
        item = node.value[int(part)]
        return item.start_mark.line + 1, item
    return None

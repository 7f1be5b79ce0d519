"""The reference pages leave nothing out: every key of every YAML file, every command and option."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from documents.settings import SettingsFile, files_of, settings_of
from lifestage.cli import app
from lifestage.platform.config.parts import Section
from lifestage.project.pipeline import DOMAINS

ROOT = Path(__file__).parents[2]
FILES = files_of(DOMAINS)
PACKAGED = {ROOT / "lib/lifestage" / file.packaged: file for file in FILES if file.packaged}
SECTIONS = {
    ROOT / "lib/lifestage" / part.defaults: part.name
    for domain in DOMAINS
    for part in domain.config.parts
    if isinstance(part, Section)
}
STARTER = ROOT / "lib/lifestage/services/starter_project"
YAML_FILES = [*PACKAGED, *SECTIONS, *STARTER.rglob("*.yaml"), *(ROOT / "conf").rglob("*.yaml")]
CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def kind_of(path: Path) -> SettingsFile:
    """What a file is, by its folder or its name; any other is a main file."""
    if path in PACKAGED:
        return PACKAGED[path]
    by_name = {file.name: file for file in FILES}
    return by_name.get(f"{path.parent.name}/NAME.yaml") or by_name.get(path.name) or by_name["The main file"]


def leaves(value: Any, prefix: str = "") -> Iterator[str]:
    """Dotted keys of a document; items of a list have the key of the list."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            yield from leaves(item, prefix)
    else:
        yield prefix


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_key_that_a_file_uses_is_a_setting(path):
    keys = [
        re.escape(each.key.replace("[]", "")).replace("NAME", "[^.]+") for each in settings_of(kind_of(path))
    ]
    # Names of one's own may follow: activity.lookups.products.
    known = re.compile(rf"({'|'.join(keys)})(\..+)?")
    used = set(leaves(yaml.safe_load(path.read_text(encoding="utf-8")), SECTIONS.get(path, "")))
    assert [key for key in sorted(used) if not known.fullmatch(key)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_setting_says_what_it_means(file):
    assert [each.key for each in settings_of(file) if not each.meaning] == []


@pytest.mark.parametrize(
    ("file", "key", "kind", "default"),
    [
        ("The main file", "storage.schema", "text", "none"),
        ("The main file", "business.name", "text", "**required**"),
        ("The main file", "publish.max_user_drop", "number, at least 0, at most 1", "`0.2`"),
        ("sources/NAME.yaml", "rules.NAME.severity", "`error`, `warning`", "`error`"),
        ("value.yaml", "rfm.cuts", "mapping to list of 4: whole number", "none"),
        ("segments.yaml", "training.from", "date", "none"),
        ("segments.yaml", "k", "list of 2: whole number, at least 2 to whole number, at most 64", "`[3, 8]`"),
        ("event_types.yaml", "NAME.by", "`user`, `business`", "`user`"),
    ],
)
def test_a_setting_has_its_type_and_default(file, key, kind, default):
    settings = {each.key: each for each in settings_of(next(each for each in FILES if each.name == file))}
    assert (settings[key].type, settings[key].default) == (kind, default)


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, f"{path} {name}")
    if not hasattr(command, "commands"):
        yield path, command


@pytest.mark.parametrize(("path", "command"), [*commands(typer.main.get_command(app), "lifestage")])
def test_a_command_has_an_example_and_all_of_its_options(path, command):
    section = re.search(rf"^## {path}\n(.*?)(?=^## |\Z)", CLI, re.MULTILINE | re.DOTALL)
    assert section is not None
    assert re.search(rf"^    {path}\b", section[1], re.MULTILINE), "no example"
    rows = dict(re.findall(r"^\| `([\w-]+)` \| .*? \| (.*) \|$", section[1], re.MULTILINE))
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    assert options <= rows.keys()
    assert all(rows.values())

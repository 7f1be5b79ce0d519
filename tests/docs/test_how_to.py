"""What the how-tos show works, and what they call complete is complete."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from lifestage.activation.audiences.config import Audience, AudiencesConfig
from lifestage.analytics.stages.config import Stage, StageLadder
from lifestage.analytics.value.config import Dimension, IndexConfig, Tier
from lifestage.cli import app
from lifestage.ingestion.events.tables import MAPPED_COLUMNS
from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES, ReferenceSource, Source
from lifestage.ingestion.sources.layout import TYPE_PATTERN, FileLayout
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.platform.result import Strategy
from lifestage.platform.units import Unit
from lifestage.project.loader import load_config
from lifestage.project.pipeline import DOMAINS, STEPS
from lifestage.users.catalogue.model import (
    Aggregate,
    Attribute,
    Catalogue,
    DateMark,
    DayMeasure,
    Measure,
    Windows,
)
from lifestage.users.features.config import Rhythm

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs" / "how-to"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAIN = """
storage: {root: out/tables}
business: {name: Shop, time_zone: Europe/Berlin, currency: EUR, history_starts_on: 2026-01-01}
"""


def text_of(page: str) -> str:
    return (HOW_TO / page).read_text(encoding="utf-8")


def examples() -> dict[str, str]:
    """The YAML of all how-tos by the file that the first line of a block names; parts of one file one after another."""
    found: dict[str, str] = {}
    for page in sorted(HOW_TO.glob("*.md")):
        for name, block in re.findall(
            r"```yaml\n# ([\w/.]+).*?\n(.*?)```", page.read_text("utf-8"), re.DOTALL
        ):
            found[name] = found.get(name, "") + block
    return found


def names_of(*models: type) -> set[str]:
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def missing(page: str, names: set[str]) -> list[str]:
    """Names that the page does not show as code."""
    shown = set(re.findall(r"`([\w./]+)`", text_of(page)))
    return sorted(names - shown)


def test_the_examples_together_are_a_sound_project(tmp_path):
    project = examples()
    assert {"features.yaml", "stages.yaml", "event_types.yaml"} <= set(project)
    for name, text in {**project, "lifestage.yaml": MAIN + project["lifestage.yaml"]}.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    config = load_config(tmp_path / "lifestage.yaml")
    assert set(config.parts[SOURCES]) == {"orders"}
    assert set(config.parts[REFERENCE_SOURCES]) == {"products", "profiles", "rates"}


def test_every_key_of_a_source_is_explained():
    assert missing("add-a-source.md", names_of(Source)) == []


def test_every_type_and_mapped_column_of_a_source_is_explained():
    types = {part for part in TYPE_PATTERN.pattern.split("|") if part.isidentifier()}
    columns = {column.name for column in MAPPED_COLUMNS}
    assert missing("add-a-source.md", types | columns) == []


def test_every_packaged_event_type_and_identifier_is_named():
    identifiers = packaged_yaml("project/defaults.yaml")["identifiers"]
    assert missing("add-a-source.md", {*packaged_yaml("ingestion/events/defaults.yaml"), *identifiers}) == []


def test_every_key_of_a_reference_table_is_explained():
    assert missing("add-a-reference.md", names_of(ReferenceSource)) == []


def test_every_key_of_the_catalogue_is_explained():
    keys = names_of(Catalogue, Measure, DayMeasure, DateMark, Windows, Attribute)
    # `date` is the unit of dates, which have no key for it.
    assert missing("add-a-feature.md", keys | set(Aggregate) | set(Unit)) == []


def test_every_key_of_the_ladder_is_explained():
    text = text_of("change-the-ladder.md")
    keys = names_of(Stage, StageLadder, Rhythm)
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", text)] == []


def test_every_key_of_value_is_explained():
    keys = names_of(IndexConfig, Dimension, Tier, Strategy) - {"tier"}
    text = text_of("weigh-value.md")
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", text)] == []


def test_every_key_of_audiences_is_explained():
    text = text_of("choose-an-audience.md")
    keys = names_of(Audience, AudiencesConfig)
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", text)] == []
    rules = {name for domain in DOMAINS if domain.result for name in domain.result.rules or ()}
    assert missing("choose-an-audience.md", rules - {"stage"}) == []


def commands() -> list[tuple[str, str]]:
    """Each command line shown, with its page."""
    lines = [(page, line) for page in PAGES for line in page.read_text("utf-8").splitlines()]
    return [(page.name, line.strip()) for page, line in lines if re.match(r"    lifestage [a-z]", line)]


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_that_is_shown_exists(page, line):
    words = shlex.split(re.split(r"\s{2,}", line)[0])[1:]
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        assert words, f"{page}: {line}"
        assert words[0] in command.commands, f"{page}: {line}"
        command, words = command.commands[words[0]], words[1:]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options, f"{page}: {line}"


def test_the_keys_of_files_are_explained_once_for_sources_and_reference_tables():
    assert missing("add-a-reference.md", names_of(FileLayout)) == []


def test_a_run_of_jobs_is_one_of_every_step():
    sentence = re.search(
        r"jobs/(\w+)\.py --conf.*?do the same for (.*?)\. These", text_of("operate.md"), re.DOTALL
    )
    assert [sentence[1], *re.findall(r"`(\w+)`", sentence[2])] == [*STEPS]

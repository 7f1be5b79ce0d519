"""Invalid settings of sealed columns and of matching, refused before Spark starts."""

import sys

import pytest

from lifestage.cli import app
from lifestage.cli.terminal import guard
from lifestage.platform.errors import ConfigError
from lifestage.project.loader import load_config
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.matching.config import MatchingConfig
from support.projects import MAIN
from users.matching.world import MATCHING, SOURCES, TYPES

SEALED = "sealed: [first_name, last_name, born]"


def write_project(folder, main=MAIN + TYPES + MATCHING, **sources):
    """A project folder; its main file."""
    (folder / "main.yaml").write_text(main)
    for name, text in {**SOURCES, **sources}.items():
        file = folder / f"{name}.yaml" if "/" in name else folder / "sources" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return folder / "main.yaml"


def problems(folder, main=MAIN + TYPES + MATCHING, **sources):
    with pytest.raises(ConfigError) as refused:
        load_config(write_project(folder, main, **sources))
    return [problem.partition(".yaml: ")[2] for problem in refused.value.problems]


def test_matching_is_on_only_with_its_section(tmp_path):
    config = load_config(write_project(tmp_path))
    assert config.of(MatchingConfig).is_on
    assert config.of(MatchingConfig).types == {"members": "member", "cards": "card"}
    off = load_config(write_project(tmp_path, MAIN + TYPES))
    assert not off.of(MatchingConfig).is_on
    assert off.of(IdentityConfig).evidence_meaning != config.of(IdentityConfig).evidence_meaning


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            (SEALED, "sealed: [member]"),
            "sealed: member is part of the key or an identifier, and cannot be joined if it is sealed",
        ),
        ((SEALED, "sealed: [city]"), "sealed: city is not a column of map"),
        ((SEALED, f"{SEALED}\ntypes: {{born: date}}"), "sealed: born is of type date, expected string"),
        (
            ("town: town}", "town: town, whole: upper(first_name)}"),
            "map.whole: column first_name is sealed elsewhere: name whole under sealed as well",
        ),
    ],
)
def test_a_sealed_column_is_text_and_no_other_column_uses_it(tmp_path, change, said):
    members = SOURCES["reference/members"].replace(*change)
    assert said in problems(tmp_path, **{"reference/members": members})


def test_a_flag_may_use_a_sealed_column(tmp_path):
    members = SOURCES["reference/members"].replace(
        "town: town}", "town: town, has_name: last_name IS NOT NULL}"
    )
    load_config(write_project(tmp_path, **{"reference/members": members + "types: {has_name: boolean}\n"}))


def test_lookups_and_profiles_cannot_use_sealed_columns(tmp_path):
    lookups = "activity: {lookups: {cards: {card: subject}}, category: cards.last_name}\n"
    (tmp_path / "features.yaml").write_text(
        "profile: {name: {from: [members.last_name], unit: name, description: Family name}}\n"
    )
    told = "\n".join(problems(tmp_path, MAIN + TYPES + MATCHING + lookups))
    assert "activity.category: unknown column cards.last_name" in told
    assert "profile.name.from.0: unknown column members.last_name" in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("cards: {identifier", "forms: {identifier"),
            "matching.records.forms: unknown reference table, expected one of cards, members",
        ),
        (
            ("identifier: card", "identifier: town"),
            "matching.records.cards.identifier: town is not an identifier of the table, expected one of card",
        ),
        (
            ("{given: first_name", "{given: nickname"),
            "matching.records.members.columns.given: nickname is not a column that can be compared, expected one of "
            "born, first_name, last_name, town",
        ),
        (
            ("given: name, ", ""),
            "matching.records.members.columns.given: unknown comparison, declare it in matching.comparisons as one "
            "of code, date, exact, name, text",
        ),
        (
            ("given: name, ", "given: name, mail: exact, "),
            "matching.comparisons.mail: no records have a column for it",
        ),
        (
            ("given: name, ", "given: name, since: date, "),
            "matching.comparisons.since: the name is reserved, choose another",
        ),
        (
            ("[[surname], [born]]", "[[family]]"),
            "matching.blocking.0: unknown comparison family, expected some of born, given, surname, town",
        ),
        (
            ("{given: name, surname: name, born: date, town: text}", "{}"),
            "matching.comparisons: names nothing to compare, such as {surname: name, born: date}",
        ),
    ],
)
def test_invalid_settings_are_named(tmp_path, change, said):
    assert said in problems(tmp_path, MAIN + TYPES + MATCHING.replace(*change))


def test_a_source_cannot_have_the_name_of_match_evidence(tmp_path):
    fuzzy = SOURCES["web"]
    assert "fuzzy: is the reserved source name of match evidence, choose another name" in problems(
        tmp_path, fuzzy=fuzzy
    )


def match(conf):
    guard(lambda: app(["match", "--conf", str(conf)], standalone_mode=False))


@pytest.mark.parametrize("is_installed", [True, False])
def test_match_exits_without_records_or_without_splink(tmp_path, capsys, monkeypatch, is_installed):
    if not is_installed:
        monkeypatch.setitem(sys.modules, "splink", None)
    conf = write_project(tmp_path, MAIN + TYPES + (MATCHING if not is_installed else ""))
    with pytest.raises(SystemExit) as stop:
        match(conf)
    assert stop.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    expected = "no reference table is named" if is_installed else "pip install '.[fuzzy]'"
    assert expected in said

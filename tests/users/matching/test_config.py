"""What is refused of sealed columns and of matching, before anything starts."""

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


def written(folder, main=MAIN + TYPES + MATCHING, **sources):
    """A project folder; its main file."""
    (folder / "main.yaml").write_text(main)
    for name, text in {**SOURCES, **sources}.items():
        file = folder / f"{name}.yaml" if "/" in name else folder / "sources" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return folder / "main.yaml"


def problems(folder, main=MAIN + TYPES + MATCHING, **sources):
    with pytest.raises(ConfigError) as refused:
        load_config(written(folder, main, **sources))
    return [problem.partition(".yaml: ")[2] for problem in refused.value.problems]


def test_a_sound_project_is_matched_and_one_without_the_section_is_not(tmp_path):
    config = load_config(written(tmp_path))
    assert config.of(MatchingConfig).is_on
    assert config.of(MatchingConfig).types == {"members": "member", "cards": "card"}
    off = load_config(written(tmp_path, MAIN + TYPES))
    assert not off.matching.is_on
    assert off.identity.evidence_meaning != config.of(IdentityConfig).evidence_meaning


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            (SEALED, "sealed: [member]"),
            "sealed: member is of the key or an identifier, which is joined to others",
        ),
        ((SEALED, "sealed: [city]"), "sealed: city is not a column of map"),
        ((SEALED, f"{SEALED}\ntypes: {{born: date}}"), "sealed: born is of type date, expected string"),
        (
            ("town: town}", "town: town, whole: upper(first_name)}"),
            "map.whole: column first_name is sealed elsewhere: name whole under sealed as well",
        ),
    ],
)
def test_a_sealed_column_is_text_of_which_no_other_is_made(tmp_path, change, said):
    members = SOURCES["reference/members"].replace(*change)
    assert said in problems(tmp_path, **{"reference/members": members})


def test_a_flag_of_what_is_sealed_may_be_kept(tmp_path):
    members = SOURCES["reference/members"].replace(
        "town: town}", "town: town, has_name: last_name IS NOT NULL}"
    )
    load_config(written(tmp_path, **{"reference/members": members + "types: {has_name: boolean}\n"}))


def test_no_lookup_and_no_profile_sees_what_is_sealed(tmp_path):
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
            "matching.records.cards.identifier: town is no identifier of the table, expected one of card",
        ),
        (
            ("{given: first_name", "{given: nickname"),
            "matching.records.members.columns.given: nickname is no column to compare, expected one of "
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
            "matching.comparisons.since: the name is taken, choose another",
        ),
        (
            ("[[surname], [born]]", "[[family]]"),
            "matching.blocking.0: unknown comparison family, expected some of born, given, surname, town",
        ),
        (
            ("[[surname], [born]]", "[]"),
            "matching.blocking: expected lists of comparisons, such as [surname, postcode]",
        ),
    ],
)
def test_what_cannot_be_compared_is_named(tmp_path, change, said):
    assert said in problems(tmp_path, MAIN + TYPES + MATCHING.replace(*change))


def test_a_source_cannot_be_called_as_matches_are(tmp_path):
    fuzzy = SOURCES["web"]
    assert "fuzzy: is how evidence by matching is called, choose another name" in problems(
        tmp_path, fuzzy=fuzzy
    )


def match(conf):
    guard(lambda: app(["match", "--conf", str(conf)], standalone_mode=False))


@pytest.mark.parametrize("is_installed", [True, False])
def test_without_records_or_the_extra_nothing_is_started(tmp_path, capsys, monkeypatch, is_installed):
    if not is_installed:
        monkeypatch.setitem(sys.modules, "splink", None)
    conf = written(tmp_path, MAIN + TYPES + (MATCHING if not is_installed else ""))
    with pytest.raises(SystemExit) as stop:
        match(conf)
    assert stop.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    expected = "names no reference table" if is_installed else "pip install 'lifestage[fuzzy]'"
    assert expected in said

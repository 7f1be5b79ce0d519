from pathlib import Path

import pytest
from pydantic import Field

from lifestage.platform.config.models import Model
from lifestage.platform.config.yaml_files import (
    Problems,
    merge_keys,
    packaged_yaml,
    read_yaml,
    validate_model,
)


class Shelf(Model):
    height: int = Field(ge=1)
    label: str = ""


class Shop(Model):
    name: str
    shelves: dict[str, Shelf] = Field(default={})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.yaml"


def read(file: Path, text: str | bytes):
    problems = Problems()
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_yaml(file, problems), problems


def test_a_mapping_is_read_and_an_empty_file_is_an_empty_mapping(file):
    assert read(file, "name: x\nshelves: {a: {height: 1}}") == (
        {"name": "x", "shelves": {"a": {"height": 1}}},
        [],
    )
    assert read(file, "# nothing yet\n") == ({}, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: x\nname: y\n", "key given twice: name"),
        ("shelves:\n  a: {height: 1, label: l, height: 2}\n", "key given twice: height"),
        ("- a\n- b\n", "a mapping of keys is expected, found list"),
        ("name: [\n", "line 2, column 1: "),
        ("name: x\n\tlabel: y\n", "found character '\\t'"),
        (b"name: M\xfcller\n", "not UTF-8 (byte 7)"),
        ("name: !!python/object:os.system x\n", "could not determine a constructor"),
    ],
)
def test_an_unreadable_file_is_a_problem_and_gives_none(file, text, problem):
    data, problems = read(file, text)
    assert data is None
    assert len(problems) == 1
    assert problems[0].startswith(f"{file}: ")
    assert problem in problems[0]


def test_only_true_and_false_are_booleans(file):
    data, _ = read(file, "on: yes\ncountry: NO\nis_open: true\nis_closed: False\n")
    assert data == {"on": "yes", "country": "NO", "is_open": True, "is_closed": False}


def test_a_missing_file_is_a_problem(tmp_path):
    problems = Problems()
    assert read_yaml(tmp_path / "none.yaml", problems) is None
    assert problems == [f"{tmp_path}/none.yaml: file not found"]


def test_mappings_merge_key_by_key_and_null_removes_a_key():
    base = {"a": {"x": 1, "y": {"z": 2}}, "b": [1, 2], "c": 3}
    changes = {"a": {"y": {"z": 4}, "n": 5}, "b": [9], "c": None, "unknown": None, "d": {"e": 6}}
    assert merge_keys(base, changes) == {"a": {"x": 1, "y": {"z": 4}, "n": 5}, "b": [9], "d": {"e": 6}}
    assert base["a"]["y"] == {"z": 2}


def test_a_mapping_replaces_a_plain_value_and_the_other_way_round():
    assert merge_keys({"a": 1, "b": {"x": 1}}, {"a": {"x": 1}, "b": 2}) == {"a": {"x": 1}, "b": 2}


def test_every_problem_of_a_model_is_reported_with_its_key():
    problems = Problems()
    data = {"shelves": {"a": {"height": 0}, "b": {"height": "tall", "colour": "red"}}, "owner": "me"}
    assert validate_model(Shop, data, "shop.yaml", problems) is None
    assert sorted(problems) == [
        "shop.yaml: name: required key is missing",
        "shop.yaml: owner: unknown key",
        "shop.yaml: shelves.a.height: expected at least 1, found 0",
        "shop.yaml: shelves.b.colour: unknown key",
        "shop.yaml: shelves.b.height: expected a whole number, found tall",
    ]


def test_a_valid_model_is_frozen_and_reports_nothing():
    problems = Problems()
    shop = validate_model(Shop, {"name": "x"}, "shop.yaml", problems)
    assert (shop, problems) == (Shop(name="x"), [])
    with pytest.raises(ValueError, match="frozen"):
        shop.name = "y"


def test_the_packaged_defaults_can_be_read():
    assert packaged_yaml("project/defaults.yaml")["landing"] == "landing"

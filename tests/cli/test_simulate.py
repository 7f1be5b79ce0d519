"""simulate: what is said, and what is refused."""

import csv

import pytest

from lifestage.cli import app
from lifestage.cli.terminal import guard

SMALL = ("simulate", "--users", "100", "--days", "3", "--events-per-user", "3")


def simulate(*arguments):
    guard(lambda: app([*SMALL, *arguments], standalone_mode=False))


def test_a_world_is_made_and_counted(tmp_path, capsys):
    simulate("--out", str(tmp_path / "world"), "--without", "price_types", "--without", "coupon_works")
    assert "rows in" in capsys.readouterr().out
    with (tmp_path / "world" / "truth" / "cases.csv").open() as file:
        cases = [*csv.DictReader(file)]
    assert {case["case"] for case in cases if case["is_planted"] == "false"} == {
        "price_types",
        "coupon_works",
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--users", "7"), "at least 100 people"),
        (("--without", "cheap"), "unknown case cheap, expected some of cheap_channel"),
    ],
)
def test_what_is_no_world_is_refused(tmp_path, capsys, arguments, said):
    with pytest.raises(SystemExit) as stop:
        simulate("--out", str(tmp_path / "world"), *arguments)
    assert stop.value.code == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_folder_that_exists_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        simulate("--out", str(tmp_path))
    assert stop.value.code == 2
    assert "exists: give another folder" in " ".join(capsys.readouterr().err.split())

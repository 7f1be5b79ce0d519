"""The laws name tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTIONS = re.split(r"^## ", (ROOT / "docs" / "laws.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


def test_every_test_of_a_law_is_named():
    named = set(re.findall(r"`(tests/[^`]+)`", "".join(SECTIONS)))
    tests = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "laws").glob("test_*.py")}
    assert sorted(tests - named) == [], "name them in docs/laws.md, and take away what no longer waits"


def test_there_are_ten_laws_in_order():
    assert [section.partition(".")[0] for section in SECTIONS] == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.partition("\n")[0])
def test_a_law_names_tests_that_exist(section):
    named = re.findall(r"`(tests/[^`]+)`", section)
    assert named, "no test holds this law"
    assert [name for name in named if not (ROOT / name).is_file()] == []

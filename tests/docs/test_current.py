"""What is generated of the documentation says what the code says."""

from pathlib import Path

import pytest

from documents import generated, with_map

ROOT = Path(__file__).parents[2]
GENERATED = generated((ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", GENERATED)
def test_a_generated_file_is_current(path):
    is_current = (ROOT / path).read_text(encoding="utf-8") == GENERATED[path]
    assert is_current, f"{path} is not what the code says: run scripts/docs"


def test_a_readme_that_lost_a_marker_is_refused():
    with pytest.raises(ValueError, match="expected the lines"):
        with_map("# lifestage\n")


def test_writing_the_map_twice_changes_nothing():
    once = with_map(GENERATED["README.md"])
    assert with_map(once) == once

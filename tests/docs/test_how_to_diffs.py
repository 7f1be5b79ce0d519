"""What how-tos change in the starter project or read from it is applied, run, and shows what the pages show."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lifestage.project.loader import load_config
from lifestage.services.starter import SAMPLE_ENDS_ON, create
from support.sessions import BRIEF, to_yaml

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
PAGES = ("add-a-source.md", "add-a-feature.md", "change-the-ladder.md", "choose-an-audience.md")
# Applied alone: it creates files that another page creates as well.
ALONE = ("find-bots.md",)
# One session for the run and for all that is read: what a page prints begins with its name.
READERS = ("follow-cohorts.md",)
"""Pages that only read."""
RUN = f"""
from lifestage.cli import app
app(["run", "--as-of", "{SAMPLE_ENDS_ON}"], standalone_mode=False)
"""


def blocks(page: str, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```$", (HOW_TO / page).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


def change(folder: Path, page: str) -> None:
    """Do to a project what a page says: its commands of Python first, then its diff."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command in re.findall(r"^    (python -c .+)$", (HOW_TO / page).read_text("utf-8"), re.MULTILINE):
        subprocess.run(command, shell=True, cwd=folder, env=environment, check=True)
    (diff,) = blocks(page, "diff")
    # A repository around the folder would make git look for the files at its root.
    environment["GIT_CEILING_DIRECTORIES"] = str(folder.parent)
    subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=folder, env=environment, check=True)


@pytest.mark.parametrize("page", PAGES + ALONE)
def test_each_diff_alone_gives_a_sound_project(tmp_path, page):
    create(tmp_path)
    before = load_config(tmp_path / "lifestage.yaml").hash
    change(tmp_path, page)
    assert load_config(tmp_path / "lifestage.yaml").hash != before


@pytest.fixture(scope="module")
def printed(tmp_path_factory) -> dict[str, list[str]]:
    """What the Python of each page prints, block by block, once all four diffs were applied and one run was made."""
    folder = tmp_path_factory.mktemp("shop")
    create(folder)
    script = RUN
    for page in (*PAGES, *READERS):
        if page in PAGES:
            change(folder, page)
        script += "".join(f"print('== {page}')\n{block}" for block in blocks(page, "python"))
    with (folder / "lifestage.yaml").open("a") as file:
        file.write(to_yaml(BRIEF))
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "LIFESTAGE_CONF": "lifestage.yaml"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    parts = re.split(r"^== (.+)\n", done.stdout, flags=re.MULTILINE)[1:]
    named = list(zip(parts[::2], parts[1::2], strict=True))
    return {page: [text for name, text in named if name == page] for page in (*PAGES, *READERS)}


@pytest.mark.slow
@pytest.mark.parametrize("page", [*PAGES, *READERS])
def test_the_run_shows_what_the_page_shows(printed, page):
    assert [text.strip() for text in printed[page]] == [text.strip() for text in blocks(page, "text")]
    assert printed[page]

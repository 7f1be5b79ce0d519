"""Where the main file of a project is, if nobody names it."""

from pathlib import Path

# In the order in which they are looked for. `lifestage init` writes the second one.
MAIN_FILES = (Path("conf/lifestage.yaml"), Path("lifestage.yaml"))


def find_main_file() -> Path:
    """The main file of the project in the working directory; the first place if there is none."""
    return next((file for file in MAIN_FILES if file.is_file()), MAIN_FILES[0])

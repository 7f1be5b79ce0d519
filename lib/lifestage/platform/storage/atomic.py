"""Files that readers find whole or not at all."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """A reader finds the old file or the new one; what a killed run left is overwritten by the next."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)

"""Write files atomically."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader finds the old text or the new one. Overwrites what a killed run left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)

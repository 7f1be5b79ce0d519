"""Tell without Spark whether the files of a source are those that the ledger lists, in local folders.

The answer is either certain or no: where a file, a pattern or a file system leaves a doubt, Spark has to list the files.
"""

import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from lifestage.ingestion.sources.deliveries import path_of, resolve_path, warn_of_hidden_files
from lifestage.ingestion.sources.layout import FileLayout, Format

logger = logging.getLogger(__name__)

# Columns of the ledger that `read_known_files` needs.
FILE_COLUMNS = ("source", "path", "n_bytes", "modified_at")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Other characters of a glob mean alternatives, ranges or escapes, which file systems read in different ways.
PLAIN_GLOB = re.compile(r"[^\[\]{}\\]*")

KnownFiles = Mapping[str, set[tuple[str, int, int]]]
"""Path, bytes and modification time in milliseconds of the files in the ledger, by source."""


def read_known_files(ledger: Iterable[Mapping[str, Any]]) -> KnownFiles:
    """The files that the ledger lists. Rows need `FILE_COLUMNS`; a replay has no file."""
    known: dict[str, set[tuple[str, int, int]]] = {}
    for row in ledger:
        if (at := row["modified_at"]) is not None:
            milliseconds = (at.astimezone(UTC) - EPOCH).total_seconds() * 1000
            identity = (path_of(row["path"]), row["n_bytes"], round(milliseconds))
            known.setdefault(row["source"], set()).add(identity)
    return known


def has_only_known_files(name: str, layout: FileLayout, landing: str, known: KnownFiles) -> bool:
    """Whether it is certain that Spark would list no file of the source that the ledger lacks.

    A file is known by its path, size and modification time. Logs the warnings of a source without files, and of files
    whose names Spark skips, as a run does.
    """
    pattern = re.sub("^file:/+", "/", resolve_path(layout.path, landing))
    if layout.format is Format.DELTA or "://" in pattern or not PLAIN_GLOB.fullmatch(pattern):
        return False
    # Symbolic links stay, as in the paths that Spark lists.
    pattern = os.path.abspath(pattern)  # noqa: PTH100
    warn_of_hidden_files(name, pattern)
    try:
        found = [_identify(path) for path in _find_matching(pattern)]
    except OSError as error:
        logger.info("source %s: %s", name, error)
        return False
    if not found:
        logger.warning("source %s: no file matches %s", name, pattern)
    return known.get(name, set()).issuperset(found)


def _find_matching(pattern: str) -> Iterator[Path]:
    """The files that the pattern matches, and those in folders that it matches, at any depth.

    Empty files, and files whose names Spark skips, are left out. Spark may list fewer, because it does not descend into
    every folder.
    """
    parts = PurePosixPath(pattern).parts
    n_fixed = next((n for n, part in enumerate(parts) if set(part) & {"*", "?"}), len(parts))
    fixed = Path(*parts[:n_fixed])
    # A part with a wildcard matches within one name; whatever lies below the last part is included.
    name = "/".join(re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]") for part in parts[1:])
    matches = re.compile(rf"/{name}(/.*)?", re.DOTALL)
    candidates = [fixed] if fixed.is_file() else _walk(fixed)
    for path in candidates:
        if matches.fullmatch(str(path)) and not _is_skipped(path.name) and path.stat().st_size:
            yield path


def _walk(folder: Path) -> Iterator[Path]:
    """The files below a folder; none if it does not exist.

    Raises:
        OSError: if a folder cannot be listed.
    """
    if folder.exists():
        for place, _, names in os.walk(folder, onerror=_raise, followlinks=True):
            for name in names:
                yield Path(place, name)


def _raise(error: OSError) -> None:
    raise error


def _is_skipped(name: str) -> bool:
    """Whether Spark certainly skips a file because of its name."""
    return name.startswith(".") or (
        name.startswith("_") and "=" not in name and not name.startswith(("_metadata", "_common_metadata"))
    )


def _identify(path: Path) -> tuple[str, int, int]:
    found = path.stat()
    return str(path).lstrip("/"), found.st_size, found.st_mtime_ns // 1_000_000

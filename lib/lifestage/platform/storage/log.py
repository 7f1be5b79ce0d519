"""The log of a table: its commits, and which of them a run wrote."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifestage.platform.storage.contracts import Table

if TYPE_CHECKING:
    from lifestage.platform.storage.store import Store

logger = logging.getLogger(__name__)

OURS = '{"lifestage"'
LOG_FOLDER = "_delta_log"
# A commit is a file whose name is its version in 20 digits.
COMMIT_FILES = f"{'[0-9]' * 20}.json"
COMMIT_INFO = '{"commitInfo"'


@dataclass(frozen=True)
class Entry:
    """One commit in the log of a table. `text` is its user metadata; commits of other tools have none."""

    version: int
    text: str
    rows: int
    is_blank: bool = False
    """Whether the commit has no content, for example because a power cut emptied its file."""
    n_bytes: int = 0
    """Size of the files that the commit added; 0 if the store does not tell."""

    @property
    def is_ours(self) -> bool:
        """False for OPTIMIZE, VACUUM and the like, which change no row."""
        return self.text.startswith(OURS)

    @property
    def metadata(self) -> dict[str, object]:
        """The metadata that the writer recorded."""
        return dict(json.loads(self.text)["lifestage"]) if self.is_ours else {}


def to_entry(
    version: int, operation: str | None, text: str | None, metrics: Mapping[str, str] | None
) -> Entry:
    """The entry of a commit, from what Delta's log says of it."""
    # Absent metrics mean that no rows were written, as in OPTIMIZE.
    numbers = metrics or {}
    n_rows = int(numbers.get("numOutputRows") or numbers.get("numTargetRowsInserted") or 0)
    n_bytes = int(numbers.get("numOutputBytes") or numbers.get("numTargetBytesAdded") or 0)
    return Entry(version, text or "", n_rows, operation is None, n_bytes)


def read_log(folder: Path, limit: int | None) -> list[Entry]:
    """The newest commits of the table in a local folder, newest first; all of them without a limit."""
    commits = sorted((folder / LOG_FOLDER).glob(COMMIT_FILES), reverse=True)
    return [_read_entry(commit) for commit in commits[:limit]]


def _read_entry(commit: Path) -> Entry:
    """The entry of the file of one commit, which holds one action per line."""
    with commit.open(encoding="utf-8") as actions:
        text = next((line for line in actions if line.startswith(COMMIT_INFO)), None)
    info: dict[str, Any] = json.loads(text)["commitInfo"] if text else {}
    return to_entry(
        int(commit.stem), info.get("operation"), info.get("userMetadata"), info.get("operationMetrics")
    )


@dataclass(frozen=True)
class Newest:
    """The newest version of a table, and its newest commit of ours if it has one."""

    version: int
    commit: Entry | None
    is_blank: bool = False
    """Whether the newest commit has no content."""


@dataclass(eq=False)
class Commit:
    """A write of ours. Reads its version and row count from the log on first use.

    `Store.resolve` looks up several commits at once.
    """

    store: "Store"
    table: Table
    text: str
    entry: Entry | None = field(default=None, repr=False)

    @property
    def version(self) -> int:
        """The version that holds the written rows; the newest version if a write of no rows left no commit."""
        return self._resolve().version

    @property
    def rows(self) -> int:
        """Number of rows written."""
        return self._resolve().rows

    @property
    def n_bytes(self) -> int:
        """Size of the files written."""
        return self._resolve().n_bytes

    def _resolve(self) -> Entry:
        if self.entry is None:
            self.store.resolve([self])
        assert self.entry is not None
        return self.entry


def commit_text(metadata: Mapping[str, object]) -> str:
    """The metadata as the text that a commit carries."""
    return json.dumps({"lifestage": dict(metadata)}, default=str)


def newest_of(entries: Sequence[Entry]) -> Newest:
    """The newest version and the newest commit of ours. `entries` has the newest entry first."""
    own = next((entry for entry in entries if entry.is_ours), None)
    return Newest(entries[0].version, own, entries[0].is_blank)


def is_behind(entries: Sequence[Entry]) -> bool:
    """Whether another tool wrote the newest commit, and older commits exist."""
    return not entries[0].is_ours and entries[0].version > 0


def is_hidden(commits: Sequence[Commit], logs: Mapping[str, Sequence[Entry]]) -> bool:
    """Whether a commit may lie behind commits of other tools."""
    entries = logs[commits[0].table.name]
    found = {entry.text for entry in entries}
    return any(commit.text not in found for commit in commits) and not all(each.is_ours for each in entries)


def match_entries(commits: Sequence[Commit], entries: Sequence[Entry]) -> None:
    """Give each commit its entry. A write that left no commit gets the newest version and no rows."""
    newest, rest = entries[0].version, list(entries)
    for commit in reversed(commits):
        place = next((n for n, entry in enumerate(rest) if entry.text == commit.text), None)
        commit.entry = Entry(newest, commit.text, 0) if place is None else rest[place]
        rest = rest if place is None else rest[place + 1 :]
        entry = commit.entry
        logger.info("committed table=%s version=%d rows=%d", commit.table.name, entry.version, entry.rows)

"""A reference model of `resolve` in plain Python: row by row and delivery by delivery."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Row = Mapping[str, Any]


@dataclass
class Slot:
    """The rows that compete: one key on one date, or on any date of the window."""

    is_frozen: bool
    was_seen: bool = False
    best: int | None = None
    present: Row | None = None


@dataclass
class Model:
    """The state after some deliveries, and the outcome of each row."""

    window_start: date
    slots: dict[tuple[Any, ...], Slot] = field(default_factory=dict)
    outcomes: list[tuple[Row, str]] = field(default_factory=list)
    versions: list[tuple[Row, str, Row]] = field(default_factory=list)

    def deliver(self, rows: Iterable[Row]) -> None:
        """Apply one delivery, its rows in order of version, is_delete and content."""
        seen = defaultdict(int)
        ordered = sorted(rows, key=lambda r: (r["version"] or 0, r["is_delete"], r["content"]))
        last = {id(self._slot(row)): row for row in ordered}
        for row in ordered:
            slot = self._slot(row)
            twin = (id(slot), row["version"])
            if row["replaces_changes"] and row is not last[id(slot)]:
                self.outcomes.append((row, "duplicate"))
                continue
            self.outcomes.append((row, self._outcome(slot, row, is_twin=seen[twin] > 0)))
            seen[twin] += 1

    def events(self) -> list[Row]:
        return [slot.present for slot in self.slots.values() if slot.present is not None]

    def _slot(self, row: Row) -> Slot:
        in_window = row["event_date"] >= self.window_start
        place = "window" if row["looks_back"] and in_window else row["event_date"]
        frozen = row["looks_back"] and not in_window
        return self.slots.setdefault((row["source"], row["event_id"], place), Slot(frozen))

    def _outcome(self, slot: Slot, row: Row, is_twin: bool) -> str:
        if not slot.was_seen:
            return "rejected: late" if row["is_delete"] else self._enter(slot, row, "accepted")
        if row["version"] is not None:
            return self._by_version(slot, row, is_twin)
        return self._without_version(slot, row)

    def _by_version(self, slot: Slot, row: Row, is_twin: bool) -> str:
        if row["version"] == slot.best or (row["version"] < slot.best and is_twin):
            return "duplicate"
        if row["version"] < slot.best:
            if not row["is_delete"]:
                self.versions.append((row, "outdated", row))
            return "superseded"
        if slot.is_frozen:
            return "rejected: late"
        if row["is_delete"]:
            return self._leave(slot, row)
        return self._enter(slot, row, "accepted" if slot.present is None else "replaced")

    def _without_version(self, slot: Slot, row: Row) -> str:
        if slot.present is None:
            if row["is_delete"]:
                return "duplicate"
            return "rejected: late" if slot.is_frozen else self._enter(slot, row, "accepted")
        if row["is_delete"]:
            return "rejected: late" if slot.is_frozen else self._leave(slot, row)
        if row["rejects_changes"] and row["content"] != slot.present["content"]:
            return "rejected: changed"
        if row["replaces_changes"] and row["content"] != slot.present["content"]:
            return "rejected: late" if slot.is_frozen else self._enter(slot, row, "replaced")
        return "duplicate"

    def _enter(self, slot: Slot, row: Row, outcome: str) -> str:
        if slot.present is not None:
            self.versions.append((slot.present, "corrected", row))
        slot.was_seen, slot.best, slot.present = True, row["version"], row
        return outcome

    def _leave(self, slot: Slot, row: Row) -> str:
        self.versions.append((slot.present or row, "deleted", row))
        slot.best, slot.present = row["version"], None
        return "replaced"

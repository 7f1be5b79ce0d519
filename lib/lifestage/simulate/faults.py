"""Faults on the way to a file: rows that arrive late, arrive twice, or are broken."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from lifestage.simulate.text import encode_lines
from lifestage.simulate.world import World

LATE, TWICE, BROKEN = 0.01, 0.004, 0.001
LATEST = 6
COUNTS = ("n_good", "n_late", "n_twice", "n_broken", "n_corrected")


@dataclass
class FaultInjector:
    """Turns the lines of each day into the bytes of files, and holds back the lines that arrive later."""

    world: World
    pending: dict[tuple[str, int], list[pa.Array]] = field(default_factory=lambda: defaultdict(list))
    """Lines held back, by source and the day on which they arrive."""
    counts: dict[str, dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    )

    def build_file(self, source: str, day: int, lines: pa.Array, corrected: pa.Array | None = None) -> bytes:
        """Return the bytes of a source's file for a day: most of the day's lines, and lines held back until then.

        No row is lost. Late rows and second copies arrive up to six days later; a broken row stands beside its intact
        original. Corrected rows arrive one day later, with a higher version.
        """
        rng = self.world.rng(f"faults-{source}", day)
        drawn = rng.random(len(lines))
        late, twice, broken = drawn < LATE, drawn > 1 - TWICE, (drawn > 0.5) & (drawn < 0.5 + BROKEN)
        for mask in (late, twice):
            self._delay(rng, source, day, lines.filter(pa.array(mask)))
        if corrected is not None and len(corrected):
            self.pending[source, day + 1].append(corrected)
        now = [lines.filter(pa.array(~late)), _truncate_lines(rng, lines.filter(pa.array(broken)))]
        arrived = self.pending.pop((source, day), [])
        counts = {
            "n_good": len(lines), "n_late": int(late.sum()), "n_twice": int(twice.sum()),
            "n_broken": int(broken.sum()), "n_corrected": 0 if corrected is None else len(corrected),
        }  # fmt: skip
        for name, n in counts.items():
            self.counts[source][name] += n
        return b"".join(encode_lines(part) for part in (*now, *arrived))

    def build_clean_file(self, source: str, lines: pa.Array) -> bytes:
        """Return the bytes of a file without faults."""
        self.counts[source]["n_good"] += len(lines)
        return encode_lines(lines)

    def flush(self, source: str) -> dict[int, bytes]:
        """Return what is still held back after the last day, by the day on which it arrives."""
        days = sorted(day for name, day in self.pending if name == source)
        return {day: b"".join(map(encode_lines, self.pending.pop((source, day)))) for day in days}

    def _delay(self, rng: np.random.Generator, source: str, day: int, lines: pa.Array) -> None:
        delay = rng.integers(1, LATEST + 1, len(lines))
        for days in range(1, LATEST + 1):
            delayed = lines.filter(pa.array(delay == days))
            if len(delayed):
                self.pending[source, day + days].append(delayed)


def _truncate_lines(rng: np.random.Generator, lines: pa.Array) -> pa.Array:
    """Cut each line before its middle, as in a file that was copied while it was written."""
    texts = [text[: int(rng.integers(len(text) // 4, len(text) // 2))] for text in lines.to_pylist()]
    return pa.array(texts, pa.string())

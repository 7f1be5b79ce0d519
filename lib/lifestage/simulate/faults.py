"""What goes wrong on the way to a file: rows that are late, come twice, or cannot be read."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from lifestage.simulate.text import octets_of
from lifestage.simulate.world import World

LATE, TWICE, BROKEN = 0.01, 0.004, 0.001
LATEST = 6
COUNTS = ("n_good", "n_late", "n_twice", "n_broken", "n_corrected")


@dataclass
class Post:
    """Lines on their way: what is written on a day, and what is held back until another."""

    world: World
    held: dict[tuple[str, int], list[pa.Array]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[str, dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    )

    def deliver(self, source: str, day: int, lines: pa.Array, corrected: pa.Array | None = None) -> bytes:
        """The bytes of a source's file of a day: most of its lines, and those that were held back until then.

        Late rows and second copies come up to six days later, broken rows beside sound ones: nothing is lost. What is
        corrected comes a day later with a version of its own.
        """
        rng = self.world.rng(f"faults-{source}", day)
        drawn = rng.random(len(lines))
        late, twice, broken = drawn < LATE, drawn > 1 - TWICE, (drawn > 0.5) & (drawn < 0.5 + BROKEN)
        for which in (late, twice):
            self._hold(rng, source, day, lines.filter(pa.array(which)))
        if corrected is not None and len(corrected):
            self.held[source, day + 1].append(corrected)
        now = [lines.filter(pa.array(~late)), _broken(rng, lines.filter(pa.array(broken)))]
        arrived = self.held.pop((source, day), [])
        found = {
            "n_good": len(lines), "n_late": int(late.sum()), "n_twice": int(twice.sum()),
            "n_broken": int(broken.sum()), "n_corrected": 0 if corrected is None else len(corrected),
        }  # fmt: skip
        for name, n in found.items():
            self.counts[source][name] += n
        return b"".join(octets_of(part) for part in (*now, *arrived))

    def whole(self, source: str, lines: pa.Array) -> bytes:
        """The bytes of a file in which nothing goes wrong."""
        self.counts[source]["n_good"] += len(lines)
        return octets_of(lines)

    def remainder(self, source: str) -> dict[int, bytes]:
        """What is still held back after the last day, by the day on which it comes."""
        days = sorted(day for name, day in self.held if name == source)
        return {day: b"".join(map(octets_of, self.held.pop((source, day)))) for day in days}

    def _hold(self, rng: np.random.Generator, source: str, day: int, lines: pa.Array) -> None:
        until = rng.integers(1, LATEST + 1, len(lines))
        for after in range(1, LATEST + 1):
            chosen = lines.filter(pa.array(until == after))
            if len(chosen):
                self.held[source, day + after].append(chosen)


def _broken(rng: np.random.Generator, lines: pa.Array) -> pa.Array:
    """Cut before the middle, as files are that were copied while they were written."""
    texts = [text[: int(rng.integers(len(text) // 4, len(text) // 2))] for text in lines.to_pylist()]
    return pa.array(texts, pa.string())

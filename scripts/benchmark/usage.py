"""Measure what a process and all processes that it started use: time, CPU and memory."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import psutil

INTERVAL = 0.1


@dataclass(frozen=True)
class Sample:
    """CPU seconds up to a time, and resident bytes at it."""

    at: float
    cpu: float
    memory: int


def read_usage() -> Sample:
    """Read /proc for this process and its descendants.

    The CPU of an ended process counts from when its parent collects it. Memory that processes share counts for each of them.
    """
    cpu, memory = 0.0, 0
    own = psutil.Process()
    for process in [own, *own.children(recursive=True)]:
        try:
            times, used = process.cpu_times(), process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        cpu += times.user + times.system + times.children_user + times.children_system
        memory += used
    return Sample(time.monotonic(), cpu, memory)


@dataclass
class Meter:
    """Samples of the usage while it is open."""

    samples: list[Sample] = field(default_factory=list)
    _is_closed: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start to take samples."""
        self.samples.append(read_usage())
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._is_closed.set()
        assert self._thread is not None
        self._thread.join()
        self.samples.append(read_usage())

    def _sample(self) -> None:
        while not self._is_closed.wait(INTERVAL):
            self.samples.append(read_usage())

    def between(self, start: float, end: float) -> dict[str, float]:
        """Seconds, CPU seconds and peak memory in bytes from one time to another."""
        at = [sample.at for sample in self.samples]
        first, last = np.interp([start, end], at, [sample.cpu for sample in self.samples])
        inside = [sample.memory for sample in self.samples if start - INTERVAL <= sample.at <= end + INTERVAL]
        return {
            "seconds": round(end - start, 2),
            "cpu": round(float(last - first), 2),
            "memory": max(inside, default=0),
        }


@contextmanager
def measure_usage() -> Iterator[dict[str, Any]]:
    """Yield a dict that has seconds, CPU seconds and peak memory of the block after it."""
    found: dict[str, Any] = {}
    with Meter() as meter:
        yield found
    found.update(meter.between(meter.samples[0].at, meter.samples[-1].at))


def list_files(root: Path) -> dict[str, int]:
    """The bytes of each file below a folder, by path."""
    if not root.exists():
        return {}
    paths = (Path(folder, name) for folder, _, names in os.walk(root) for name in names)
    return {str(path.relative_to(root)): path.stat().st_size for path in paths}


def describe_machine() -> dict[str, Any]:
    """Cores and memory."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
    }

"""Work that takes its time in planning, not on data: side by side it takes a part of it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def together(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Do all tasks at the same time; their results, in order.

    All have ended when it returns or raises, so that a failed run has nothing still writing. Of several errors the
    first task's is raised.
    """
    with ThreadPoolExecutor(max(len(tasks), 1)) as pool:
        return [done.result() for done in [pool.submit(task) for task in tasks]]

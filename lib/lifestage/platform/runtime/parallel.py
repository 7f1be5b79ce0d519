"""Run tasks in threads: most of a small query's time is planning, which other queries can overlap."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def run_in_parallel(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run all tasks at the same time and return their results in order.

    Waits for every task, also if one fails, so that a failed run has no task still writing. If several tasks fail, the
    first one's error is raised.
    """
    if len(tasks) < 2:
        return [task() for task in tasks]
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [done.result() for done in [pool.submit(task) for task in tasks]]

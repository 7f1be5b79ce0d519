"""Run tasks in threads: most of a small query's time is planning, which other queries can overlap."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def run_in_parallel(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run all tasks at the same time and return their results in order.

    Waits for every task, even if one fails, so that no task of a failed run is still writing. If several tasks fail, the
    error of the first one in order is raised.
    """
    if len(tasks) < 2:
        return [task() for task in tasks]
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [done.result() for done in [pool.submit(task) for task in tasks]]
